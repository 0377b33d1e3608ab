// What the values leave out, and why: impossible steps and sensors that are not fitted.
import type { SeriesAnswer } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { Icon } from "./Icon";

export function SeriesMarks({ answer, label }: { answer: SeriesAnswer; label: (name: string) => string }) {
  const { t, locale } = useLanguage();
  const counts = new Map<string, number>();
  for (const { column } of answer.steps) counts.set(column, (counts.get(column) ?? 0) + 1);
  if (!counts.size && !answer.not_fitted.length) return null;
  return (
    <ul className="marks">
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
