// The description of the API as a list for a person.
import { describe, expect, it } from "vitest";
import { endpoints } from "./openapi";

describe("endpoints", () => {
  it("have their parameters with type, default and words; HEAD is left out", () => {
    const integer = { anyOf: [{ type: "integer" }, { type: "null" }] };
    const parameters = [
      { name: "sensors", required: true, schema: { type: "string" }, description: "names" },
      { name: "points", schema: { ...integer, default: 800 } },
      { name: "format", schema: { enum: ["csv", "json"] } },
    ];
    const found = endpoints({ paths: { "/api/series": { get: { summary: "Series", parameters }, head: {} } } });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ method: "GET", path: "/api/series", summary: "Series", description: "" });
    expect(found[0].parameters).toEqual([
      { name: "sensors", required: true, type: "string", initial: "", text: "names" },
      { name: "points", required: false, type: "integer", initial: "= 800", text: "" },
      { name: "format", required: false, type: "csv | json", initial: "", text: "" },
    ]);
  });

  it("are none in an empty description", () => {
    expect(endpoints({})).toEqual([]);
  });
});
