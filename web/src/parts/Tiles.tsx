// The main temperatures of now, large.
import type { Latest, Sensor } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { numberText, valueText } from "../lib/format";
import { PLACES } from "../lib/overview";

export function Tiles({ latest, known }: { latest: Latest; known: Map<string, Sensor> }) {
  const { t, locale } = useLanguage();
  const isFitted = (name: string) => !latest.not_fitted.includes(name) && known.get(name)?.fitted !== false;
  return (
    <dl className="tiles">
      {PLACES.map(({ key, name, second }) => {
        const value = isFitted(name) ? latest.values[name] : null;
        const below = second && isFitted(second.name) ? latest.values[second.name] : null;
        const unit = known.get(name)?.unit ?? "";
        return (
          <div className="tile" key={key}>
            <dt>{t(key)}</dt>
            <dd>
              {value === null || value === undefined ? (
                <span className="tile-none">{isFitted(name) ? "\u2013" : t("now.notFitted")}</span>
              ) : (
                <>
                  <span className="tile-value">{numberText(value, unit, locale)}</span> <span className="tile-unit">{unit}</span>
                </>
              )}
              {second && below !== null && below !== undefined && (
                <small>{t(second.key, { value: valueText(below, unit, "", locale, latest.zone) })}</small>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
