// Which colour a curve, a band or a state has: names of the custom properties in tokens.css.

export const CURVES = 8;

/** Curves beyond the eighth repeat the colours with a dash. */
export function curveStyle(place: number): { color: string; dash: number[] } {
  const dashes = [[], [6, 3], [2, 3], [10, 3, 2, 3], [1, 2]];
  return { color: `--curve-${(place % CURVES) + 1}`, dash: dashes[Math.floor(place / CURVES) % dashes.length] };
}

const BY_TEXT: Record<string, string> = {
  "heating": "--state-heating",
  "heatpump running": "--state-heating",
  "hot water": "--state-hot-water",
  "domestic water": "--state-hot-water",
  "swimming pool/solar": "--state-pool",
  "evu": "--state-lock",
  "lock time": "--state-lock",
  "cycle lock": "--state-lock",
  "defrost": "--state-defrost",
  "no request": "--state-idle",
  "heatpump idle": "--state-idle",
  "cooling": "--state-cooling",
};

/** The colour of a state by its text in the tables, else by its code. */
export function stateColor(text: string | undefined, value: number): string {
  return (text !== undefined && BY_TEXT[text]) || `--curve-${(Math.abs(Math.round(value)) % CURVES) + 1}`;
}

const SIGNALS: [RegExp, string][] = [
  [/AVout/, "--state-defrost"],
  [/BUPout|ZIPout/, "--state-hot-water"],
  [/VD\dout/, "--state-heating"],
  [/EVU/, "--state-lock"],
  [/VBOout/, "--state-source"],
];

/** The colour of a switch that is on. */
export function signalColor(name: string): string {
  return SIGNALS.find(([pattern]) => pattern.test(name))?.[1] ?? "--state-on";
}
