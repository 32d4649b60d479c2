// Which pictures are chosen, and where the keyboard stands.
import { create } from "zustand";
import { range } from "./layout";

interface Selection {
  chosen: ReadonlySet<string>;
  /** Where a range with Shift begins. */
  anchor?: string;
  /** The tile that has the keyboard. */
  active?: string;
  /** Counts how often the keyboard led to a tile: then it is scrolled to and focused. */
  called: number;
}

export const useSelection = create<Selection>(() => ({ chosen: new Set(), called: 0 }));

export const selection = {
  toggle: (id: string) =>
    useSelection.setState(({ chosen }) => {
      const next = new Set(chosen);
      if (!next.delete(id)) next.add(id);
      return { chosen: next, anchor: id, active: id };
    }),
  /** With Shift: everything from where the last choice was. */
  extend: (ids: readonly string[], id: string) =>
    useSelection.setState(({ chosen, anchor, active }) => {
      const from = ids.indexOf(anchor ?? active ?? id);
      const added = range(ids, from < 0 ? ids.indexOf(id) : from, ids.indexOf(id));
      return { chosen: new Set([...chosen, ...added]), anchor: anchor ?? active ?? id, active: id };
    }),
  all: (ids: readonly string[]) => useSelection.setState({ chosen: new Set(ids) }),
  clear: () => useSelection.setState({ chosen: new Set(), anchor: undefined }),
  activate: (active: string | undefined) => useSelection.setState({ active }),
  call: (active: string) => useSelection.setState(({ called }) => ({ active, called: called + 1 })),
  drop: (gone: ReadonlySet<string>) =>
    useSelection.setState(({ chosen }) => ({ chosen: new Set([...chosen].filter((id) => !gone.has(id))) })),
};
