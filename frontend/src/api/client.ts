// The server, typed by its contract:
//
//   const page = await call(api.GET("/api/v1/generations", { params: { query: { limit: 50 } } }));
//
// `call` returns the body or throws a Problem, whose `message` is fit to be shown.
import createClient from "openapi-fetch";
import { t } from "@/i18n";
import type { components, paths } from "./types";

export type Schemas = components["schemas"];
export type Generation = Schemas["Generation"];
export type Experiment = Schemas["Experiment"];
export type ExperimentSpec = Schemas["ExperimentSpec"];
export type Run = Schemas["Run"];
export type Plan = Schemas["Plan"];
export type Model = Schemas["Model"];
export type Job = Schemas["Job"];

export interface FieldProblem {
  /** RFC 6901 into the body; of a query parameter, "/name". */
  pointer: string;
  expected: string;
}

/** RFC 9457, or no answer at all (status 0). */
export class Problem extends Error {
  override name = "Problem";
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly errors: FieldProblem[] = [],
    readonly requestId?: string,
    readonly body: Record<string, unknown> = {},
    /** Seconds after which a second try may help (Retry-After). */
    readonly retryAfter?: number,
  ) {
    super(detail);
  }
  /** What is said of one field of the body. */
  at(pointer: string): string | undefined {
    return this.errors.find((one) => one.pointer === pointer)?.expected;
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof TypeError) return new Problem(0, "network", t("common.problem.network"));
  return new Problem(0, "unexpected", error instanceof Error ? error.message : String(error));
}

/** Node's fetch, under the tests, knows no relative addresses; looked up late so that they can answer for it. */
const base = typeof location === "undefined" ? "" : location.origin;
export const api = createClient<paths>({
  baseUrl: base,
  credentials: "same-origin",
  fetch: (request: Request) => globalThis.fetch(request),
});

const loggedOut = new Set<() => void>();
/** Called when the server says that nobody is logged in. */
export function onLoginRequired(listener: () => void): () => void {
  loggedOut.add(listener);
  return () => loggedOut.delete(listener);
}

export function problemOf(body: unknown, response: Response): Problem {
  const p = (typeof body === "object" && body !== null ? body : {}) as Partial<Schemas["Problem"]>;
  return new Problem(
    response.status,
    p.code ?? "unexpected",
    p.detail ?? `${response.status} ${response.statusText}`,
    p.errors ?? [],
    p.request_id ?? response.headers.get("X-Request-Id") ?? undefined,
    p as Record<string, unknown>,
    Number(response.headers.get("Retry-After")) || undefined,
  );
}

export async function call<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let got: { data?: T; error?: unknown; response: Response };
  try {
    got = await answer;
  } catch (error) {
    throw asProblem(error);
  }
  if (got.response.ok) return got.data as T;
  const problem = problemOf(got.error, got.response);
  if (problem.code === "login_required") for (const listener of loggedOut) listener();
  throw problem;
}

/** A file that the server makes of a POST (a ZIP), as a download of the browser. */
export async function download(url: string, body: unknown, name: string): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw asProblem(error);
  }
  if (!response.ok) throw problemOf(await response.json().catch(() => null), response);
  saveBlob(await response.blob(), name);
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

type ThumbnailSize = 128 | 256 | 512;
/** The smallest stored thumbnail that fills `pixels` CSS pixels on this screen. */
export function thumbnail(generation: { image: Schemas["Picture"] }, pixels: number): string | undefined {
  if (!generation.image) return undefined;
  const wanted = pixels * (globalThis.devicePixelRatio || 1);
  const size: ThumbnailSize = wanted <= 128 ? 128 : wanted <= 256 ? 256 : 512;
  return `${generation.image.thumbnail_url.split("?")[0]}?size=${size}`;
}
