// What is to be known of the values: stretches from elsewhere, impossible steps left out, sensors that are not fitted.
import type { SeriesAnswer } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { Icon } from "./Icon";

interface Props {
  answer: SeriesAnswer;
  /** Whether the window has anything from the controller's own log. */
  hasFilled: boolean;
  label: (name: string) => string;
}

export function SeriesMarks({ answer, hasFilled, label }: Props) {
  const { t, locale } = useLanguage();
  const counts = new Map<string, number>();
  for (const { column } of answer.steps) counts.set(column, (counts.get(column) ?? 0) + 1);
  if (!hasFilled && !counts.size && !answer.not_fitted.length) return null;
  return (
    <ul className="marks">
      {hasFilled && (
        <li>
          <span className="hatch" aria-hidden="true" /> {t("graphs.filled")}
        </li>
      )}
      {[...counts].map(([name, count]) => (
        <li key={name}>
          <Icon name="warn" /> {label(name)}: {t("graphs.steps", { count: count.toLocaleString(locale) })}
        </li>
      ))}
      {answer.not_fitted.length > 0 && (
        <li>
          <Icon name="warn" /> {t("graphs.notFitted", { names: answer.not_fitted.map(label).join(", ") })}
        </li>
      )}
    </ul>
  );
}
