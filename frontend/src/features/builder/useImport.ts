// An experiment from a file that is chosen or dropped on the page, or from the clipboard.
import { type DragEvent, useEffect, useState } from "react";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { isTyping } from "@/lib/hotkeys";
import type { BuilderStore } from "./store";
import { readExperiment } from "./transfer";

export function useImport(store: BuilderStore) {
  const [over, setOver] = useState(false);
  const read = (text: string, said: string) => {
    try {
      store.getState().load(readExperiment(text));
      notify.done(said);
    } catch (error) {
      notify.error(error, t("builder.problem.json"));
    }
  };
  const file = async (chosen: File | undefined) => {
    if (chosen) read(await chosen.text(), t("builder.actions.imported"));
  };

  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData("text/plain").trim() ?? "";
      if (isTyping(event.target) || !text.startsWith("{")) return;
      event.preventDefault();
      try {
        store.getState().load(readExperiment(text));
        notify.done(t("builder.actions.pasted"));
      } catch (error) {
        notify.error(error, t("builder.problem.json"));
      }
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, [store]);

  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const drop = {
    onDragOver: (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setOver(false);
      void file(event.dataTransfer.files[0]);
    },
  };
  return { over, drop, file };
}
