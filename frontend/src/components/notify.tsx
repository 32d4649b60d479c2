// Short messages at the edge of the screen: what went wrong, what was done and how to take it back.
//
// They go by themselves, later while somebody reads (the pointer or the focus on them, the page hidden). Ctrl+Z takes
// back what the newest one offers to undo.
import { Box, CloseButton, Flex, Portal, Text } from "@chakra-ui/react";
import { useEffect, useState } from "react";
import { create } from "zustand";
import { asProblem } from "@/api/client";
import { t } from "@/i18n";
import { isTyping } from "@/lib/hotkeys";

interface Message {
  id: number;
  kind: "done" | "info" | "error";
  title: string;
  description?: string;
  milliseconds: number;
  undo?: () => void;
}

const most = 4;
const useMessages = create<{ list: Message[] }>(() => ({ list: [] }));
let count = 0;

function show(message: Omit<Message, "id">): void {
  useMessages.setState(({ list }) => ({ list: [...list, { ...message, id: ++count }].slice(-most) }));
}

function dismiss(id: number): void {
  useMessages.setState(({ list }) => ({ list: list.filter((one) => one.id !== id) }));
}

export const notify = {
  done: (title: string) => show({ kind: "done", title, milliseconds: 4000 }),
  info: (title: string, description?: string) => show({ kind: "info", title, description, milliseconds: 8000 }),
  /** Any thrown value, in words. */
  error: (error: unknown, title: string = t("common.problem.title")) =>
    show({ kind: "error", title, description: asProblem(error).message, milliseconds: 12_000 }),
  /** Something was taken away; for ten seconds it can be had back. */
  undo: (title: string, undo: () => void | Promise<void>) =>
    show({
      kind: "info",
      title,
      milliseconds: 10_000,
      undo: () => void Promise.resolve(undo()).catch((error: unknown) => notify.error(error)),
    }),
};

function takeBack(message: Message): void {
  dismiss(message.id);
  message.undo?.();
}

function undoByKey(event: KeyboardEvent): void {
  const last = useMessages.getState().list.findLast((one) => one.undo);
  if (!last || event.defaultPrevented || event.shiftKey || event.altKey || isTyping(event.target)) return;
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  takeBack(last);
}

/** Goes after so much time that was not spent reading. */
function useExpiry({ id, milliseconds }: Message, reading: boolean): void {
  useEffect(() => {
    if (reading) return;
    const timer = setInterval(() => document.visibilityState === "visible" && dismiss(id), milliseconds);
    return () => clearInterval(timer);
  }, [id, milliseconds, reading]);
}

const edge = { done: "green.fg", info: "brand.fg", error: "fg.error" } as const;

function Card({ message }: { message: Message }) {
  const [reading, setReading] = useState(false);
  useExpiry(message, reading);
  return (
    <Flex
      role={message.kind === "error" ? "alert" : undefined}
      onPointerEnter={() => setReading(true)}
      onPointerLeave={() => setReading(false)}
      onFocus={() => setReading(true)}
      onBlur={() => setReading(false)}
      pointerEvents="auto"
      align="start"
      gap="3"
      p="3"
      bg="bg.panel"
      color="fg"
      borderWidth="1px"
      borderInlineStartWidth="4px"
      borderInlineStartColor={edge[message.kind]}
      rounded="md"
      shadow="lg"
    >
      <Box flex="1" minW="0">
        <Text fontWeight="medium">{message.title}</Text>
        {message.description && (
          <Text color="fg.muted" overflowWrap="anywhere">
            {message.description}
          </Text>
        )}
      </Box>
      {message.undo && (
        <Box asChild color="brand.fg" fontWeight="semibold" px="1" minH="6" cursor="pointer">
          <button type="button" onClick={() => takeBack(message)}>
            {t("common.undo")}
          </button>
        </Box>
      )}
      <CloseButton size="2xs" aria-label={t("common.close")} onClick={() => dismiss(message.id)} />
    </Flex>
  );
}

/** Beside the app, not within it: a dialog hides the app from the keyboard and from screen readers, messages stay. */
export function Notifications() {
  const list = useMessages((state) => state.list);
  useEffect(() => {
    addEventListener("keydown", undoByKey);
    return () => removeEventListener("keydown", undoByKey);
  }, []);
  return (
    <Portal>
      <Flex
        role="region"
        aria-live="polite"
        aria-label={t("common.messages")}
        direction="column"
        gap="2"
        position="fixed"
        zIndex="toast"
        pointerEvents="none"
        bottom={{ base: "calc(4.5rem + env(safe-area-inset-bottom))", md: "4" }}
        insetInlineEnd="4"
        insetInlineStart={{ base: "4", md: "auto" }}
        w={{ md: "sm" }}
      >
        {list.map((message) => (
          <Card key={message.id} message={message} />
        ))}
      </Flex>
    </Portal>
  );
}
