// Addresses, and what is made of answers that are none.
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, addressOf, errorOf, getJson } from "./client";

afterEach(() => vi.unstubAllGlobals());

const answers = (body: string, status: number) => vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));

describe("addresses", () => {
  it("leave out what has no value and keep commas and colons readable", () => {
    const address = addressOf("/api/series", { sensors: "a,b", from: "2026-11-25T00:00:00Z", to: null, every: "", points: 3 });
    expect(address).toBe("/api/series?sensors=a,b&from=2026-11-25T00:00:00Z&points=3");
    expect(addressOf("/api/latest")).toBe("/api/latest");
    expect(addressOf("/x", { q: "a&b" })).toBe("/x?q=a%26b");
  });
});

describe("errors", () => {
  it("carry the API's words and hint", async () => {
    answers('{"error":{"message":"no sensor x","hint":"near it: y"}}', 404);
    await expect(getJson("/x")).rejects.toMatchObject({ message: "no sensor x", hint: "near it: y", status: 404 });
  });

  it("say the status where the body says nothing", async () => {
    answers("<h1>Bad gateway</h1>", 502);
    await expect(getJson("/x")).rejects.toMatchObject({ message: "HTTP 502", hint: null, isOffline: false });
    expect(errorOf(500, { error: 3 })).toBeInstanceOf(ApiError);
  });

  it("tell that nobody answers", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
    await expect(getJson("/x")).rejects.toMatchObject({ isOffline: true });
  });

  it("go to the login on 401 and never come back", async () => {
    const assign = vi.fn();
    vi.stubGlobal("location", { assign });
    answers("{}", 401);
    const outcome = await Promise.race([getJson("/x").then(() => "answer"), new Promise((done) => setTimeout(done, 20, "waits"))]);
    expect(outcome).toBe("waits");
    expect(assign).toHaveBeenCalledWith("/login");
  });

  it("leave an ended request to the one who ended it", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new DOMException("stop", "AbortError")));
    await expect(getJson("/x")).rejects.toMatchObject({ name: "AbortError" });
  });
});
