// What the builder holds while somebody edits: the form, its history, and what was saved last. One store per page.
import { createContext, useContext } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import { type Form, type FormAxis, fromSpec, type SimpleAxis, type Spec, toSpec, type Written } from "./spec/form";

const historyLimit = 200;
/** Edits of the same field within this time are one step of undo. */
const together = 1500;

export interface BuilderState {
  form: Form;
  past: Form[];
  future: Form[];
  /** JSON of the spec that the server has, or that the page began with. */
  saved: string;
  /** Somebody has changed something since the page was opened: from then on problems are shown in red. */
  touched: boolean;
  /** `field`: names the input, so that its strokes are one step of undo. */
  change: (edit: (form: Form) => Form, field?: string) => void;
  /** Replaces everything; can be undone. */
  load: (form: Form) => void;
  undo: () => void;
  redo: () => void;
  markSaved: () => void;
}

const cache = new WeakMap<Form, Written & { text: string }>();
/** The spec of a form, where its parts stand in it, and its JSON. */
export function written(form: Form): Written & { text: string } {
  let found = cache.get(form);
  if (!found) {
    const made = toSpec(form);
    found = { ...made, text: JSON.stringify(made.spec) };
    cache.set(form, found);
  }
  return found;
}

export type BuilderStore = StoreApi<BuilderState>;

export function makeStore(first: Form, saved?: string): BuilderStore {
  let field: string | undefined;
  let at = 0;
  return createStore<BuilderState>((set, get) => ({
    form: first,
    past: [],
    future: [],
    saved: saved ?? written(first).text,
    touched: saved !== undefined && saved !== written(first).text,
    change: (edit, name) => {
      const { form, past } = get();
      const next = edit(form);
      if (next === form) return;
      const joined = name !== undefined && name === field && Date.now() - at < together && past.length > 0;
      field = name;
      at = Date.now();
      set({ form: next, past: joined ? past : [...past.slice(-historyLimit), form], future: [], touched: true });
    },
    load: (form) => {
      field = undefined;
      set((old) => ({ form, past: [...old.past, old.form], future: [], touched: true }));
    },
    undo: () => {
      field = undefined;
      const { form, past, future } = get();
      const last = past.at(-1);
      if (last) set({ form: last, past: past.slice(0, -1), future: [form, ...future] });
    },
    redo: () => {
      field = undefined;
      const { form, past, future } = get();
      const [next, ...rest] = future;
      if (next) set({ form: next, past: [...past, form], future: rest });
    },
    markSaved: () => set(({ form }) => ({ saved: written(form).text })),
  }));
}

export const BuilderContext = createContext<BuilderStore | null>(null);

export function useBuilderStore(): BuilderStore {
  const store = useContext(BuilderContext);
  if (!store) throw new Error("no builder around this");
  return store;
}

export const useBuilder = <T>(select: (state: BuilderState) => T): T => useStore(useBuilderStore(), select);
export const useForm = (): Form => useBuilder((state) => state.form);
export const useChange = () => useBuilder((state) => state.change);
export const isDirty = (state: BuilderState): boolean => written(state.form).text !== state.saved;

const editSimple = (axis: FormAxis, id: string, edit: (axis: SimpleAxis) => SimpleAxis): FormAxis => {
  if (axis.kind === "zip") return { ...axis, axes: axis.axes.map((one) => (one.id === id ? edit(one) : one)) };
  return axis.id === id && axis.kind !== "other" ? edit(axis) : axis;
};

/** The axis with this id, wherever it is, changed. */
export const withAxis =
  (id: string, edit: (axis: SimpleAxis) => SimpleAxis) =>
  (form: Form): Form => ({ ...form, axes: form.axes.map((axis) => editSimple(axis, id, edit)) });

// ==== the draft that outlives the page ====

const place = (key: string) => `cauldron-builder:${key}`;
interface Kept {
  spec: Spec;
  at: number;
}

export function keepDraft(key: string, state: BuilderState): void {
  try {
    if (isDirty(state))
      localStorage.setItem(place(key), JSON.stringify({ spec: written(state.form).spec, at: Date.now() }));
    else localStorage.removeItem(place(key));
  } catch {
    // Storage that is full or forbidden: the page still asks before it is left.
  }
}

export function keptDraft(key: string): { form: Form; at: number } | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(place(key)) ?? "null") as Kept | null;
    return kept ? { form: fromSpec(kept.spec), at: kept.at } : undefined;
  } catch {
    return undefined;
  }
}

export const forgetDraft = (key: string): void => localStorage.removeItem(place(key));
