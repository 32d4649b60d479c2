// Whether and how the app can be put on the home screen. Chromium offers a prompt (beforeinstallprompt); Safari and
// Firefox have it in their menus only.
import { create } from "zustand";

interface InstallPrompt extends Event {
  prompt: () => Promise<unknown>;
  userChoice: Promise<{ outcome: "accepted" | "dismissed" }>;
}

export const useInstall = create<{ prompt?: InstallPrompt; installed: boolean }>(() => ({ installed: false }));

/** The offer comes once, soon after the start, so somebody has to listen from then on. */
export function listenForInstall(): void {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    useInstall.setState({ prompt: event as InstallPrompt });
  });
  addEventListener("appinstalled", () => useInstall.setState({ prompt: undefined, installed: true }));
}

export async function install(): Promise<void> {
  const { prompt } = useInstall.getState();
  if (!prompt) return;
  await prompt.prompt();
  const { outcome } = await prompt.userChoice;
  // An offer can be used once.
  useInstall.setState({ prompt: undefined, installed: outcome === "accepted" });
}

export type InstallWay = "installed" | "prompt" | "insecure" | "ios" | "menu";

export function installWay(about: {
  standalone: boolean;
  secure: boolean;
  prompt: boolean;
  agent: string;
}): InstallWay {
  if (about.standalone) return "installed";
  if (!about.secure) return "insecure";
  if (about.prompt) return "prompt";
  return /iPhone|iPad/.test(about.agent) ? "ios" : "menu";
}
