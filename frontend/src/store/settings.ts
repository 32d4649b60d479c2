// What this browser remembers of its user's taste. Nothing here is needed to read the server's data.
import { create } from "zustand";
import { persist } from "zustand/middleware";

export type Theme = "system" | "light" | "dark";

interface Settings {
  theme: Theme;
  /** Pixels of a cell of the comparison grid and of a tile of the gallery. */
  cellSize: number;
  tileSize: number;
  /** Live previews while a picture is drawn. */
  previews: boolean;
  set: (change: Partial<Omit<Settings, "set">>) => void;
}

export const useSettings = create<Settings>()(
  persist((set) => ({ theme: "system", cellSize: 144, tileSize: 176, previews: true, set: (change) => set(change) }), {
    name: "cauldron-settings",
    version: 1,
  }),
);

export function isDark(theme: Theme): boolean {
  return theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** Keeps the class of <html> with the choice and with the system's. */
export function followTheme(): () => void {
  const apply = () => {
    const dark = isDark(useSettings.getState().theme);
    document.documentElement.classList.toggle("dark", dark);
    document.documentElement.classList.toggle("light", !dark);
  };
  const media = matchMedia("(prefers-color-scheme: dark)");
  apply();
  media.addEventListener("change", apply);
  const stop = useSettings.subscribe(apply);
  return () => {
    media.removeEventListener("change", apply);
    stop();
  };
}
