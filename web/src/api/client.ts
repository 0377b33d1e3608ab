// Asking the API: JSON, errors with the hint that they carry, and the way to the login.

/** What went wrong in words for a person; `status` 0: no answer came at all. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly hint: string | null,
    readonly status: number,
  ) {
    super(message);
    this.name = "ApiError";
  }

  get isOffline(): boolean {
    return this.status === 0;
  }
}

export type Query = Record<string, string | number | null | undefined>;

/** An address below the root with the parameters that have a value. */
export function addressOf(path: string, query: Query = {}): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value)).replaceAll("%2C", ",").replaceAll("%3A", ":")}`);
  return parts.length ? `${path}?${parts.join("&")}` : path;
}

/** The answer as JSON. Throws an ApiError; an aborted request throws the browser's AbortError. */
export async function getJson<T>(address: string, signal?: AbortSignal): Promise<T> {
  const response = await answered(address, signal);
  if (response.status === 401) return toLogin();
  const body = await parsed(response);
  if (!response.ok) throw errorOf(response.status, body);
  return body as T;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** What the API tells of a failure, whatever the body is. */
export function errorOf(status: number, body: unknown): ApiError {
  const told = (body as { error?: { message?: unknown; hint?: unknown } } | null)?.error;
  const message = typeof told?.message === "string" ? told.message : `HTTP ${status}`;
  return new ApiError(message, typeof told?.hint === "string" ? told.hint : null, status);
}

async function answered(address: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("offline", null, 0);
  }
}

async function parsed(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    if (response.ok) throw new ApiError("offline", null, 0);
    return null;
  }
}

/** Leaves the page; the promise stays open so that nothing is shown on the way. */
function toLogin(): Promise<never> {
  location.assign("/login");
  return new Promise(() => undefined);
}
