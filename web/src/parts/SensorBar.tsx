// Which sensors are shown: the groups as presets, and the way to the full choice.
import { useRef } from "react";
import type { Sensor, Sensors } from "../api/types";
import { useLanguage } from "../hooks/useLanguage";
import { groupLabel } from "../i18n";
import { presetOf, presetShown, usualSensors } from "../lib/presets";
import { Icon } from "./Icon";
import { SensorDialog } from "./SensorDialog";

interface Props {
  sensors: Sensors;
  known: Map<string, Sensor>;
  chosen: string[];
  choose: (names: string[] | null) => void;
}

export function SensorBar({ sensors, known, chosen, choose }: Props) {
  const language = useLanguage();
  const { t } = language;
  const dialog = useRef<HTMLDialogElement>(null);
  const shown = presetShown(chosen, sensors, known);
  const usual = usualSensors(known);
  const isUsual = usual.join() === chosen.join();
  return (
    <div className="sensorbar" role="group" aria-label={t("sensors.title")}>
      <button type="button" className="button button-main" onClick={() => dialog.current?.showModal()}>
        <Icon name="list" /> {t("sensors.choose")}
      </button>
      <div className="presets">
        <button type="button" className="button" aria-pressed={isUsual} onClick={() => choose(null)}>
          {t("sensors.usual")}
        </button>
        {sensors.groups
          .filter((group) => presetOf(group, known).length)
          .map((group) => (
            <button
              key={group.key}
              type="button"
              className="button"
              aria-pressed={shown === group.key}
              onClick={() => choose(presetOf(group, known))}
            >
              {groupLabel(group, language)}
            </button>
          ))}
      </div>
      <SensorDialog ref={dialog} sensors={sensors} chosen={chosen} choose={choose} />
    </div>
  );
}
