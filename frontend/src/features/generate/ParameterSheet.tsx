// The parameters on a phone: a sheet that comes from below.
import { CloseButton, Drawer, Portal } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { t } from "@/i18n";

export default function ParameterSheet({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  return (
    <Drawer.Root placement="bottom" open onOpenChange={({ open }) => !open && onClose()}>
      <Portal>
        <Drawer.Backdrop />
        <Drawer.Positioner>
          <Drawer.Content maxH="85dvh" roundedTop="xl">
            <Drawer.Header pb="2">
              <Drawer.Title>{t("generate.parameters")}</Drawer.Title>
            </Drawer.Header>
            <Drawer.Body pb="8">{children}</Drawer.Body>
            <Drawer.CloseTrigger asChild>
              <CloseButton aria-label={t("common.close")} />
            </Drawer.CloseTrigger>
          </Drawer.Content>
        </Drawer.Positioner>
      </Portal>
    </Drawer.Root>
  );
}
