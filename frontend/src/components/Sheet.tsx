// A sheet that comes from below: what a desk shows beside the content, on a phone.
import { CloseButton, Drawer, Portal } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { t } from "@/i18n";

interface Props {
  title: string;
  open?: boolean;
  onClose: () => void;
  /** The content has a heading of its own: the title is only said. */
  quiet?: boolean;
  children: ReactNode;
}

export default function Sheet({ title, open = true, onClose, quiet = false, children }: Props) {
  return (
    <Drawer.Root
      placement="bottom"
      open={open}
      onOpenChange={(change) => !change.open && onClose()}
      lazyMount
      unmountOnExit
    >
      <Portal>
        <Drawer.Backdrop />
        <Drawer.Positioner>
          <Drawer.Content maxH="85dvh" roundedTop="xl" aria-label={quiet ? title : undefined}>
            {!quiet && (
              <Drawer.Header pb="2">
                <Drawer.Title>{title}</Drawer.Title>
              </Drawer.Header>
            )}
            <Drawer.Body tabIndex={0} pt={quiet ? "5" : undefined} pb="8">
              {children}
            </Drawer.Body>
            <Drawer.CloseTrigger asChild>
              <CloseButton size="md" aria-label={t("common.close")} />
            </Drawer.CloseTrigger>
          </Drawer.Content>
        </Drawer.Positioner>
      </Portal>
    </Drawer.Root>
  );
}
