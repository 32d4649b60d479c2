// Short messages at the edge of the screen: what went wrong, what was done and how to take it back.
import { createToaster, Stack, Toast, Toaster } from "@chakra-ui/react";
import { asProblem } from "@/api/client";
import { t } from "@/i18n";

const toaster = createToaster({ placement: "bottom-end", pauseOnPageIdle: true, overlap: true, gap: 12 });

export const notify = {
  done: (title: string) => toaster.create({ title, type: "success", duration: 4000 }),
  info: (title: string, description?: string) => toaster.create({ title, description, type: "info", duration: 8000 }),
  /** Any thrown value, in words. */
  error: (error: unknown, title: string = t("common.problem.title")) => {
    const problem = asProblem(error);
    toaster.create({ title, description: problem.message, type: "error", duration: 12000, closable: true });
  },
  /** Something was taken away; for ten seconds it can be had back. */
  undo: (title: string, undo: () => void | Promise<void>) =>
    toaster.create({
      title,
      type: "info",
      duration: 10_000,
      action: {
        label: t("common.undo"),
        onClick: () => void Promise.resolve(undo()).catch((error: unknown) => notify.error(error)),
      },
    }),
};

export function Notifications() {
  return (
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
  );
}
