// Where the page begins.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "uplot/dist/uPlot.min.css";
import { App } from "./App";
import { languageFor } from "./i18n";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/charts.css";

const language = languageFor(navigator.languages);
document.documentElement.lang = language.code;

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App language={language} />
  </StrictMode>,
);
