// What the jury's seat remembers in this browser: where one left, and whether labels are shown after a vote.
import { create } from "zustand";
import { persist } from "zustand/middleware";

interface Seat {
  /** The experiment that was judged last. */
  last: string | undefined;
  reveal: boolean;
  set: (change: Partial<Pick<Seat, "last" | "reveal">>) => void;
}

export const useSeat = create<Seat>()(
  persist((set) => ({ last: undefined, reveal: false, set: (change) => set(change) }), {
    name: "cauldron-judge",
    version: 1,
  }),
);
