// The full choice of sensors: a search over names and labels, and all sensors by group.
import { type Ref, useMemo, useRef, useState } from "react";
import type { Sensor, Sensors } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { groupLabel, sensorLabel } from "../i18n";
import { MOST_SENSORS, byName, toggled } from "../lib/presets";
import { search, searchable } from "../lib/search";
import { Icon } from "./Icon";
import { IconButton } from "./RangeBar";

interface Props {
  ref: Ref<HTMLDialogElement>;
  sensors: Sensors;
  chosen: string[];
  choose: (names: string[] | null) => void;
}

/** More rows than this are not shown at once. */
const MOST_ROWS = 120;

export function SensorDialog({ ref, sensors, chosen, choose }: Props) {
  const { t } = useLanguage();
  const [isOpen, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const opened = (open: boolean) => {
    setOpen(open);
    // Not where a finger chooses: the keyboard on the screen would cover the list.
    if (open && matchMedia("(pointer: fine)").matches) field.current?.focus();
  };
  return (
    <dialog ref={ref} className="dialog" aria-label={t("sensors.choose")} onToggle={(event) => opened(event.currentTarget.open)}>
      <form method="dialog" className="dialog-head">
        <h2>{t("sensors.choose")}</h2>
        <button type="submit" className="button button-icon" aria-label={t("close")}>
          <Icon name="close" />
        </button>
      </form>
      <div className="dialog-search">
        <input
          ref={field}
          type="search"
          value={query}
          placeholder={t("sensors.search")}
          aria-label={t("sensors.search")}
          onChange={(event) => setQuery(event.target.value)}
        />
        <span role="status">{t("sensors.chosen", { count: chosen.length, most: MOST_SENSORS })}</span>
        <button type="button" className="button" onClick={() => choose([])}>
          {t("sensors.clear")}
        </button>
      </div>
      {chosen.length >= MOST_SENSORS && <p className="banner banner-warn">{t("sensors.full", { most: MOST_SENSORS })}</p>}
      <Chosen sensors={sensors} chosen={chosen} choose={choose} />
      <div className="dialog-list">
        {isOpen && (
          <Choice sensors={sensors} query={query} chosen={chosen} toggle={(name) => choose(toggled(chosen, name))} />
        )}
      </div>
    </dialog>
  );
}

function Chosen({ sensors, chosen, choose }: Omit<Props, "ref">) {
  const language = useLanguage();
  const known = useMemo(() => byName(sensors.sensors), [sensors]);
  return (
    <ul className="chips">
      {chosen.map((name) => {
        const label = sensorLabel(known.get(name), name, language);
        return (
          <li key={name} className="chip">
            {label}
            <IconButton label={language.t("sensors.remove", { name: label })} onClick={() => choose(toggled(chosen, name))}>
              <Icon name="close" />
            </IconButton>
          </li>
        );
      })}
    </ul>
  );
}

interface ChoiceProps {
  sensors: Sensors;
  query: string;
  chosen: string[];
  toggle: (name: string) => void;
}

function Choice({ sensors, query, chosen, toggle }: ChoiceProps) {
  const language = useLanguage();
  const { t } = language;
  const all = useMemo(() => searchable(sensors.sensors, sensors.groups), [sensors]);
  const known = useMemo(() => byName(sensors.sensors), [sensors]);
  if (query.trim()) {
    const found = search(all, query);
    if (!found.length) return <p className="hint">{t("sensors.noneFound")}</p>;
    return (
      <>
        <Rows sensors={found.slice(0, MOST_ROWS)} chosen={chosen} toggle={toggle} />
        {found.length > MOST_ROWS && <p className="hint">{t("sensors.more", { count: found.length - MOST_ROWS })}</p>}
      </>
    );
  }
  const others = sensors.sensors.filter(({ groups }) => !groups.length).length;
  return (
    <>
      {sensors.groups.map((group) => (
        <details key={group.key} className="fold">
          <summary>
            {groupLabel(group, language)} <span className="soft">{group.sensors.length}</span>
          </summary>
          <Rows sensors={group.sensors.flatMap((name) => known.get(name) ?? [])} chosen={chosen} toggle={toggle} />
        </details>
      ))}
      {others > 0 && <p className="hint">{t("sensors.typeMore", { count: others })}</p>}
    </>
  );
}

function Rows({ sensors, chosen, toggle }: { sensors: Sensor[] } & Pick<ChoiceProps, "chosen" | "toggle">) {
  const language = useLanguage();
  const { t } = language;
  return (
    <ul className="rows">
      {sensors.map((sensor) => (
        <li key={sensor.name}>
          <label className="row">
            <input
              type="checkbox"
              checked={chosen.includes(sensor.name)}
              disabled={!chosen.includes(sensor.name) && chosen.length >= MOST_SENSORS}
              onChange={() => toggle(sensor.name)}
            />
            <span className="row-text">
              {sensorLabel(sensor, sensor.name, language)}
              <small>
                {[sensor[language.code] && sensor.name, sensor.unit, remark(sensor, t)].filter(Boolean).join(" · ")}
              </small>
            </span>
          </label>
        </li>
      ))}
    </ul>
  );
}

function remark({ fitted, changes }: Sensor, t: ReturnType<typeof useLanguage>["t"]): string | null {
  if (!fitted) return t("now.notFitted");
  return changes === false ? t("sensors.constant") : null;
}
