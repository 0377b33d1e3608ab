// The language of the page for all components.
import { createContext, useContext } from "react";
import { type Language, languageFor } from "../i18n";

const LanguageContext = createContext<Language>(languageFor([]));

export const LanguageProvider = LanguageContext.Provider;

export function useLanguage(): Language {
  return useContext(LanguageContext);
}
