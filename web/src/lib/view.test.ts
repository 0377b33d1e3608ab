// The address holds the exact view.
import { describe, expect, it } from "vitest";
import { FIRST_VIEW, PAGES, type View, parseView, viewHash } from "./view";

describe("the address of a view", () => {
  it("is short on the first visit", () => {
    expect(viewHash(FIRST_VIEW)).toBe("#/");
    expect(parseView("")).toEqual(FIRST_VIEW);
    expect(parseView("#/")).toEqual(FIRST_VIEW);
  });

  it("gives every view back", () => {
    const ranges: View["range"][] = [
      { kind: "last", span: "24h" },
      { kind: "last", span: "1y" },
      { kind: "fixed", from: Date.parse("2026-10-24T22:00:00Z"), to: Date.parse("2026-10-25T23:00:00Z") },
    ];
    for (const page of PAGES)
      for (const range of ranges)
        for (const sensors of [null, [], ["ID_WEB_Temperatur_TVL"], ["calculation_268", "ID_WEB_VD1out"]])
          for (const compare of [null, "2026-11-20"])
            for (const table of [false, true]) {
              const view = { page, range, sensors, compare, table };
              expect(parseView(viewHash(view))).toEqual(view);
            }
  });

  it("names times in UTC and sensors in plain words", () => {
    const range = { kind: "fixed", from: 0, to: 3_600_000 } as const;
    const hash = viewHash({ ...FIRST_VIEW, range, sensors: ["a", "b"] });
    expect(hash).toBe("#/?from=1970-01-01T00:00:00Z&to=1970-01-01T01:00:00Z&s=a,b");
  });

  it("passes over what makes no sense", () => {
    const hash = "#/nowhere?from=x&to=2026-01-01&last=99d&s=a,a,%3Cb%3E,c&compare=yesterday";
    expect(parseView(hash)).toEqual({ ...FIRST_VIEW, sensors: ["a", "c"] });
    const backwards = "#/?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z";
    expect(parseView(backwards).range).toEqual(FIRST_VIEW.range);
  });
});
