// What of the cube is looked at, and how: all of it stands in the address, so that a reload or a shared link shows the
// same. Axes go by name, their values by place.
import type { Generation } from "@/api/client";
import { type Axis, axisIndex, REPLICATE } from "./cube";
import { isMeasure, type Measure } from "./measures";

export type Status = Generation["status"];
export type Role = "rows" | "cols" | "tabs";
export type Paint = "frame" | "fill";

export interface View {
  rows: string | undefined;
  cols: string | undefined;
  tabs: string | undefined;
  /** Of the axis of tabs. */
  tab: number;
  /** Axes without a role: one value of them, or all side by side within a cell. */
  at: ReadonlyMap<string, number | "all">;
  /** Sections: an axis, or model, sampler, steps. */
  group: string | undefined;
  /** A field or measure; the grid is a list then. "-" before it: descending. */
  sort: string | undefined;
  q: string;
  status: Status | undefined;
  rating: number;
  favourite: boolean;
  colour: Measure | undefined;
  paint: Paint;
  run: number | undefined;
  compare: string[];
}

const NONE = "-";
const statuses: readonly Status[] = ["queued", "running", "succeeded", "failed", "cancelled", "impossible"];
/** Which axes explain themselves best where. */
const preferred: Record<Role, readonly string[]> = {
  cols: ["steps", "cfg_scale", "strength", "guidance_rescale", "eta"],
  rows: ["sampler", "schedule", "model"],
  tabs: ["model", "prompt"],
};

function best(axes: readonly Axis[], taken: ReadonlySet<string>, role: Role): string | undefined {
  const free = axes.filter((axis) => !taken.has(axis.name) && axis.values.length > 1);
  for (const name of preferred[role]) if (free.some((axis) => axis.name === name)) return name;
  const varied = free.filter((axis) => axis.name !== REPLICATE);
  const numeric = role === "cols" ? varied.findLast((axis) => axis.numeric) : undefined;
  const choice = numeric ?? (role === "cols" ? varied.at(-1) : varied[0]) ?? free[0];
  return choice?.name;
}

function whole(text: string | null, fallback: number, most: number): number {
  const value = Number(text);
  return text !== null && Number.isInteger(value) && value >= 0 && value <= most ? value : fallback;
}

function rolesOf(search: URLSearchParams, axes: readonly Axis[]): Record<Role, string | undefined> {
  const roles: Record<Role, string | undefined> = { rows: undefined, cols: undefined, tabs: undefined };
  const taken = new Set<string>();
  const order: Role[] = ["cols", "rows", "tabs"];
  for (const role of order) {
    const name = search.get(role);
    if (name && axisIndex({ axes: axes as Axis[] }, name) >= 0 && !taken.has(name)) {
      roles[role] = name;
      taken.add(name);
    }
  }
  for (const role of order) {
    const name = search.get(role);
    if (roles[role] || name === NONE) continue;
    roles[role] = best(axes, taken, role);
    if (roles[role]) taken.add(roles[role]);
  }
  return roles;
}

function placesOf(search: URLSearchParams, axes: readonly Axis[]): Map<string, number | "all"> {
  const at = new Map<string, number | "all">();
  for (const axis of axes) {
    const text = search.get(`at.${axis.name}`);
    at.set(axis.name, text === "all" ? "all" : whole(text, 0, axis.values.length - 1));
  }
  return at;
}

export function parseView(search: URLSearchParams, axes: readonly Axis[]): View {
  const roles = rolesOf(search, axes);
  const tabs = axes.find((axis) => axis.name === roles.tabs);
  const colour = search.get("colour");
  return {
    ...roles,
    tab: whole(search.get("tab"), 0, (tabs?.values.length ?? 1) - 1),
    at: placesOf(search, axes),
    group: search.get("group") ?? undefined,
    sort: search.get("sort") ?? undefined,
    q: search.get("q") ?? "",
    status: statuses.find((one) => one === search.get("status")),
    rating: whole(search.get("rating"), 0, 5),
    favourite: search.has("favourite"),
    colour: colour && isMeasure(colour) ? colour : undefined,
    paint: search.get("paint") === "fill" ? "fill" : "frame",
    run: whole(search.get("run"), 0, 1_000_000) || undefined,
    compare: (search.get("compare") ?? "").split(",").filter(Boolean).slice(0, 4),
  };
}

export type Patch = Record<string, string | number | boolean | undefined>;

/** Members of the address set, or taken away (undefined, "", false, 0 of what counts from nothing). */
export function patched(search: URLSearchParams, patch: Patch): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || value === "" || value === false) next.delete(name);
    else next.set(name, value === true ? "1" : String(value));
  }
  return next;
}

/** An axis takes a role; who had it takes the role that the axis leaves. */
export function withRole(view: View, role: Role, name: string | undefined): Patch {
  const patch: Patch = { rows: view.rows ?? NONE, cols: view.cols ?? NONE, tabs: view.tabs ?? NONE };
  const former = view[role];
  const left = (["rows", "cols", "tabs"] as const).find((one) => one !== role && view[one] === name);
  if (name !== undefined && left) patch[left] = former ?? NONE;
  patch[role] = name ?? NONE;
  if (role === "tabs" || left === "tabs") patch.tab = undefined;
  return patch;
}

export const transposed = (view: View): Patch => ({ rows: view.cols ?? NONE, cols: view.rows ?? NONE });

/** Axes that have no role and more than one value: each has a chooser. */
export function looseAxes(axes: readonly Axis[], view: View): Axis[] {
  const roles = [view.rows, view.cols, view.tabs, view.sort ? undefined : view.group];
  return axes.filter((axis) => axis.values.length > 1 && !roles.includes(axis.name));
}

export const isFiltered = (view: View): boolean =>
  view.q.trim() !== "" || view.status !== undefined || view.rating > 0 || view.favourite;
