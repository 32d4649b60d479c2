// A button that asks before it does what cannot be taken back. The question stays open while the work goes on, and shows
// why it failed.
import { Button, type ButtonProps, Dialog, Portal } from "@chakra-ui/react";
import { type ReactNode, useState } from "react";
import { t } from "@/i18n";
import { ProblemNotice } from "./states";

interface Props extends Omit<ButtonProps, "onClick"> {
  title: string;
  text: ReactNode;
  /** Of the button that does it. */
  action: string;
  onConfirm: () => Promise<unknown>;
  /** Not red: nothing is lost. */
  harmless?: boolean;
  ready?: boolean;
  onOpen?: () => void;
}

export function ConfirmButton(props: Props) {
  const { title, text, action, onConfirm, harmless = false, ready = true, onOpen, ...button } = props;
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      setOpen(false);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const change = (next: boolean) => {
    setOpen(next);
    setError(undefined);
    if (next) onOpen?.();
  };
  return (
    <Dialog.Root
      role="alertdialog"
      open={open}
      onOpenChange={({ open: next }) => change(next)}
      placement={{ base: "bottom", md: "center" }}
      lazyMount
      unmountOnExit
    >
      <Dialog.Trigger asChild>
        <Button size="xs" variant="outline" {...button} />
      </Dialog.Trigger>
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content mx="3">
            <Dialog.Header>
              <Dialog.Title>{title}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body display="grid" gap="3">
              <div>{text}</div>
              {error !== undefined && <ProblemNotice error={error} />}
            </Dialog.Body>
            <Dialog.Footer>
              <Dialog.ActionTrigger asChild>
                <Button variant="outline">{t("common.cancel")}</Button>
              </Dialog.ActionTrigger>
              <Button
                colorPalette={harmless ? "brand" : "red"}
                loading={busy}
                disabled={!ready}
                onClick={() => void confirm()}
              >
                {action}
              </Button>
            </Dialog.Footer>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
