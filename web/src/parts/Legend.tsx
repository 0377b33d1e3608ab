// The names of curves or bands with their colours and their values at the cursor.
import { type CursorBoard, useCursor } from "../charts/cursor";
import { type Chart, type Lane, curveReadout, curveSpread, laneReadout } from "../charts/model";
import { useLanguage } from "../hooks/useLanguage";

interface Props {
  board: CursorBoard;
  zone: string;
}

export function CurveLegend({ chart, board, zone }: Props & { chart: Chart }) {
  const { locale } = useLanguage();
  const time = useCursor(board);
  return (
    <ul className="legend">
      {chart.curves.map((curve, i) => {
        return (
          <li key={i} className="legend-item">
            <Swatch color={curve.color} isDashed={curve.dash.length > 0} />
            <span className="legend-name">{curve.label}</span>
            <span className="legend-value">{curveReadout(curve, time, locale, zone) ?? "\u2013"}</span>
            {curve.line.min && <span className="legend-spread">{curveSpread(curve, time, locale)}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function Swatch({ color, isDashed }: { color: string; isDashed: boolean }) {
  return (
    <svg className="swatch" viewBox="0 0 18 4" aria-hidden="true" style={{ color: `var(${color})` }}>
      <path d="M0 2h18" strokeDasharray={isDashed ? "5 3" : undefined} />
    </svg>
  );
}

/** Stands above the bands, one line for each. */
export function LaneLabels({ lanes, board, height, left }: Omit<Props, "zone"> & { lanes: Lane[]; height: number; left: number }) {
  const language = useLanguage();
  const time = useCursor(board);
  return (
    <ul className="lanes" style={{ paddingLeft: left }}>
      {lanes.map((lane, i) => (
        <li key={i} style={{ height }}>
          <span className="legend-name">{lane.label}</span>
          <span className="legend-value">{laneReadout(lane, time, language) ?? "\u2013"}</span>
        </li>
      ))}
    </ul>
  );
}
