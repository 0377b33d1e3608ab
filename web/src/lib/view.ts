// The exact view as the part of the address behind `#`, and back.
import { type Range, SHORTEST, isSpan } from "./range";

export const PAGES = ["graphs", "downloads", "status", "api"] as const;
export type Page = (typeof PAGES)[number];

/** `sensors` null: the usual ones; `compare`: a day such as 2026-11-20 that is laid over. */
export interface View {
  page: Page;
  range: Range;
  sensors: string[] | null;
  compare: string | null;
  table: boolean;
}

export const FIRST_VIEW: View = {
  page: "graphs",
  range: { kind: "last", span: "24h" },
  sensors: null,
  compare: null,
  table: false,
};

const NAME = /^[\w.-]+$/;
const DAY_TEXT = /^\d{4}-\d{2}-\d{2}$/;

/** The view of an address; what is missing or makes no sense is as on the first visit. */
export function parseView(hash: string): View {
  const [path, query = ""] = hash.replace(/^#/, "").split("?", 2);
  const asked = new URLSearchParams(query);
  const compare = asked.get("compare");
  return {
    page: PAGES.find((page) => path === address(page)) ?? "graphs",
    range: parseRange(asked),
    sensors: asked.has("s") ? names(asked.get("s") ?? "") : null,
    compare: compare && DAY_TEXT.test(compare) ? compare : null,
    table: asked.has("table"),
  };
}

/** The address of a view; what is as on the first visit is left out. */
export function viewHash(view: View): string {
  const parts: string[] = [];
  if (view.range.kind === "fixed") parts.push(`from=${isoText(view.range.from)}`, `to=${isoText(view.range.to)}`);
  else if (view.range.span !== "24h") parts.push(`last=${view.range.span}`);
  if (view.sensors) parts.push(`s=${view.sensors.join(",")}`);
  if (view.compare) parts.push(`compare=${view.compare}`);
  if (view.table) parts.push("table");
  return `#${address(view.page)}${parts.length ? "?" : ""}${parts.join("&")}`;
}

function address(page: Page): string {
  return page === "graphs" ? "/" : `/${page}`;
}

function parseRange(asked: URLSearchParams): Range {
  const from = Date.parse(asked.get("from") ?? "");
  const to = Date.parse(asked.get("to") ?? "");
  if (to - from >= SHORTEST) return { kind: "fixed", from, to };
  const span = asked.get("last");
  return isSpan(span) ? { kind: "last", span } : FIRST_VIEW.range;
}

function names(text: string): string[] {
  return [...new Set(text.split(",").filter((name) => NAME.test(name)))];
}

/** An instant without the milliseconds, which no one sees. */
export function isoText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
