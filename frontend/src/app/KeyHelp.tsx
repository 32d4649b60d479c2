// What "?" shows: every key that does something at this moment.
import { Box, CloseButton, Dialog, Flex, Heading, Kbd, Portal } from "@chakra-ui/react";
import { t } from "@/i18n";
import { type Hotkey, hotkeyList, useHotkeyList } from "@/lib/hotkeys";

const mac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);
const names: Record<string, string> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  " ": "Space",
  Mod: mac ? "⌘" : "Ctrl",
};

function Keys({ keys }: { keys: string }) {
  return (
    <Flex gap="1">
      {keys.split("+").map((key) => (
        <Kbd key={key} size="sm">
          {names[key] ?? (key.length === 1 ? key.toUpperCase() : key)}
        </Kbd>
      ))}
    </Flex>
  );
}

function List({ title, hotkeys }: { title: string; hotkeys: Hotkey[] }) {
  if (!hotkeys.length) return null;
  return (
    <Box mb="5">
      <Heading as="h3" size="sm" mb="2">
        {title}
      </Heading>
      {hotkeys.map((hotkey) => (
        <Flex key={hotkey.keys + hotkey.label} justify="space-between" gap="4" py="1">
          <span>{hotkey.label}</span>
          <Keys keys={hotkey.keys} />
        </Flex>
      ))}
    </Box>
  );
}

interface Props {
  onClose: () => void;
  extra: Hotkey[];
}

export default function KeyHelp({ onClose, extra }: Props) {
  useHotkeyList();
  const all = hotkeyList();
  return (
    <Dialog.Root open onOpenChange={({ open }) => !open && onClose()} scrollBehavior="inside">
      <Portal>
        <Dialog.Backdrop />
        <Dialog.Positioner>
          <Dialog.Content>
            <Dialog.Header>
              <Dialog.Title>{t("common.keys.title")}</Dialog.Title>
            </Dialog.Header>
            <Dialog.Body tabIndex={0}>
              <List title={t("common.keys.here")} hotkeys={all.filter((hotkey) => !hotkey.everywhere)} />
              <List
                title={t("common.keys.everywhere")}
                hotkeys={[...all.filter((hotkey) => hotkey.everywhere), ...extra]}
              />
            </Dialog.Body>
            <Dialog.CloseTrigger asChild>
              <CloseButton size="sm" aria-label={t("common.close")} />
            </Dialog.CloseTrigger>
          </Dialog.Content>
        </Dialog.Positioner>
      </Portal>
    </Dialog.Root>
  );
}
