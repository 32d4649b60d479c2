// Asks before unsaved changes are left behind; this browser keeps them either way.
import { Button, Dialog, Portal, Text } from "@chakra-ui/react";
import { useEffect } from "react";
import { useBlocker } from "react-router";
import { t } from "@/i18n";
import { isDirty, useBuilder, useBuilderStore } from "./store";

export function LeaveGuard({ onSave }: { onSave: () => Promise<boolean> }) {
  const store = useBuilderStore();
  const dirty = useBuilder(isDirty);
  // Looked up when somebody leaves: a save that has just ended must not be asked about.
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      currentLocation.pathname !== nextLocation.pathname && isDirty(store.getState()),
  );
  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);
  const stay = () => blocker.state === "blocked" && blocker.reset();
  const leave = () => blocker.state === "blocked" && blocker.proceed();
  return (
    <Dialog.Root
      role="alertdialog"
      open={blocker.state === "blocked"}
      onOpenChange={({ open }) => !open && stay()}
      lazyMount
      unmountOnExit
    >
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content>
            <Dialog.Header>
              <Dialog.Title>{t("builder.leave.title")}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body>
              <Text>{t("builder.leave.text")}</Text>
            </Dialog.Body>
            <Dialog.Footer flexWrap="wrap">
              <Button variant="outline" onClick={stay}>
                {t("builder.leave.stay")}
              </Button>
              <Button variant="outline" onClick={leave}>
                {t("builder.leave.leave")}
              </Button>
              <Button onClick={() => void onSave().then((saved) => (saved ? leave() : stay()))}>
                {t("builder.leave.save")}
              </Button>
            </Dialog.Footer>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
