// Short messages at the edge of the screen: what went wrong, what was done and how to take it back.
import { createToaster, Portal, Stack, Toast, Toaster } from "@chakra-ui/react";
import { useEffect } from "react";
import { asProblem } from "@/api/client";
import { t } from "@/i18n";
import { isTyping } from "@/lib/hotkeys";

const toaster = createToaster({ placement: "bottom-end", pauseOnPageIdle: true, overlap: true, gap: 12 });

/** What Ctrl+Z takes back, while its message is shown. */
let last: { id: string; run: () => void } | undefined;

export const notify = {
  done: (title: string) => toaster.create({ title, type: "success", duration: 4000 }),
  info: (title: string, description?: string) => toaster.create({ title, description, type: "info", duration: 8000 }),
  /** Any thrown value, in words. */
  error: (error: unknown, title: string = t("common.problem.title")) => {
    const problem = asProblem(error);
    toaster.create({ title, description: problem.message, type: "error", duration: 12000, closable: true });
  },
  /** Something was taken away; for ten seconds it can be had back. */
  undo: (title: string, undo: () => void | Promise<void>) => {
    const run = () => {
      if (last?.run === run) last = undefined;
      void Promise.resolve(undo()).catch((error: unknown) => notify.error(error));
    };
    const id = toaster.create({
      title,
      type: "info",
      duration: 10_000,
      action: { label: t("common.undo"), onClick: run },
      onStatusChange: ({ status }) => {
        if (status === "unmounted" && last?.run === run) last = undefined;
      },
    });
    last = { id, run };
  },
};

function undoByKey(event: KeyboardEvent): void {
  if (!last || event.defaultPrevented || event.shiftKey || event.altKey || isTyping(event.target)) return;
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const { id, run } = last;
  toaster.dismiss(id);
  run();
}

/** Beside the app, not within it: a dialog hides the app from the keyboard and from screen readers, messages stay. */
export function Notifications() {
  useEffect(() => {
    addEventListener("keydown", undoByKey);
    return () => removeEventListener("keydown", undoByKey);
  }, []);
  return (
    <Portal>
      <Toaster toaster={toaster} insetInline={{ mdDown: "4" }}>
        {(toast) => (
          <Toast.Root width={{ base: "full", md: "sm" }}>
            <Toast.Indicator />
            <Stack gap="1" flex="1" maxWidth="100%">
              {toast.title && <Toast.Title>{toast.title}</Toast.Title>}
              {toast.description && <Toast.Description>{toast.description}</Toast.Description>}
            </Stack>
            {toast.action && <Toast.ActionTrigger>{toast.action.label}</Toast.ActionTrigger>}
            <Toast.CloseTrigger aria-label={t("common.close")} />
          </Toast.Root>
        )}
      </Toaster>
    </Portal>
  );
}
