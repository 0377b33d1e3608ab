// The shapes of what the API answers; times without `_ms` are ISO texts in UTC.

export type Kind = "value" | "state" | "switch" | "counter";

export interface Sensor {
  name: string;
  group: string;
  index: number;
  type: string;
  kind: Kind;
  unit: string;
  en: string | null;
  de: string | null;
  groups: string[];
  codes: Record<string, string> | null;
  changes: boolean | null;
  fitted: boolean;
}

export interface SensorGroup {
  key: string;
  en: string;
  de: string;
  sensors: string[];
}

export interface Sensors {
  groups: SensorGroup[];
  sensors: Sensor[];
}

export interface Gap {
  from: string;
  to: string;
  missing: number;
  reason: string;
  /** How many of the missing polls have a row from elsewhere by now, and from where. */
  filled: number;
  source: string;
}

export interface Latest {
  time: string | null;
  age_s: number | null;
  interval_s: number;
  zone: string;
  firmware: string | null;
  pump: string | null;
  status: "ok" | "failing";
  reasons: string[];
  gaps_today: number;
  gaps_today_filled: number;
  gap_now: Gap | null;
  values: Record<string, number | null>;
  not_fitted: string[];
}

type Values = (number | null)[];

export interface RawSeries {
  name: string;
  unit: string;
  t: number;
  values?: Values;
  /** Of runs of a state, which begin at their times. */
  ends?: number[];
  min?: Values;
  mean?: Values;
  max?: Values;
  count?: number[];
}

export interface StepMark {
  time: string;
  column: string;
  mark: string;
}

export interface SeriesAnswer {
  from: string;
  to: string;
  zone: string;
  interval_s: number;
  step_ms: number | null;
  times: number[][];
  series: RawSeries[];
  gaps: Gap[];
  steps: StepMark[];
  not_fitted: string[];
}

export interface Gaps {
  gaps: Gap[];
  reasons: Record<string, { gaps: number; missing: number }>;
}

export interface QueueHistory {
  times: number[];
  depth: (number | null)[];
}

export interface Status {
  status: "ok" | "failing";
  reasons: string[];
  last_reading: string | null;
  queue: { depth: number | null; in_memory?: number; bytes?: number; quarantined?: number };
  restarts: Record<string, number>;
  gaps: { today: number; open: Gap | null; last: Gap | null };
  losses: { disk: number; quarantined: number };
  archive: { days: number; due: number };
  quality: { steps: Record<string, Record<string, number>>; not_fitted: string[] };
  disk: { free: number; total: number; data: number };
  polls?: { stored?: number; missed?: number; failures?: number | Record<string, number> };
  pump?: { address: string; firmware?: string; pump?: string };
}

export interface Setting {
  key: string;
  value: string;
  from: string;
}

export interface Settings {
  version: string;
  python: string;
  zone: string;
  started: string;
  settings: Setting[];
}

export interface StoredFile {
  name: string;
  size: number;
  day: string;
  modified: string;
  url: string;
}

export interface Rollups {
  daily: StoredFile[];
  weekly: StoredFile[];
  shards: StoredFile[];
}
