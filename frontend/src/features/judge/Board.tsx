// Two pictures without labels, and the ways to say which is better: buttons, keys, a tap, a swipe.
import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import { Equal, SkipForward, Undo2 } from "lucide-react";
import { type PointerEvent, useRef, useState } from "react";
import { describeSetting } from "@/features/experiment/coordinates";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import type { Choice, Given, Pair } from "./deck";
import { useSeat } from "./store";
import { swipeOf } from "./swipe";
import type { Table } from "./useDeck";

const big = { minH: { base: "12", md: "10" }, size: { base: "md", md: "sm" } } as const;

const side = (which: "left" | "right") => ({ order: which === "left" ? "1" : "3", flex: { base: "1 1 30%", md: "1" } });

function useKeys({ choose, undo }: Pick<Table, "choose" | "undo">, enabled: boolean): void {
  useHotkeys(
    [
      { keys: "ArrowLeft", label: t("judge.left"), run: () => choose("left") },
      { keys: "ArrowRight", label: t("judge.right"), run: () => choose("right") },
      { keys: "ArrowUp", label: t("judge.tie"), run: () => choose("tie") },
      { keys: "ArrowDown", label: t("judge.skip"), run: () => choose("skip") },
      { keys: "Backspace", label: t("judge.undo"), run: () => undo() },
      { keys: "u", label: t("judge.undo"), run: () => undo() },
    ],
    enabled,
  );
}

/** Where the finger is, relative to where it went down. */
function useSwipe(choose: (choice: Choice) => void) {
  const from = useRef<{ id: number; x: number; y: number }>(undefined);
  const [shift, setShift] = useState(0);
  const end = () => {
    from.current = undefined;
    setShift(0);
  };
  return {
    shift,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.pointerType === "mouse") return;
        from.current = { id: event.pointerId, x: event.clientX, y: event.clientY };
      },
      onPointerMove: (event: PointerEvent) => {
        if (from.current?.id === event.pointerId) setShift(event.clientX - from.current.x);
      },
      onPointerUp: (event: PointerEvent) => {
        const start = from.current;
        end();
        const choice = start?.id === event.pointerId && swipeOf(event.clientX - start.x, event.clientY - start.y);
        if (choice) choose(choice);
      },
      onPointerCancel: end,
    },
  };
}

interface BoardProps {
  pair: Pair;
  table: Table;
  mayVote: boolean;
}

export function Board({ pair, table, mayVote }: BoardProps) {
  const { choose, undo, deck } = table;
  const swipe = useSwipe(choose);
  useKeys(table, mayVote);
  const swiped = useRef(false);
  return (
    <Flex direction="column" gap="3">
      <Text textAlign="center" color="fg.muted" lineClamp="2" minH="5">
        {pair.prompt}
      </Text>
      <Grid
        {...swipe.handlers}
        templateColumns={{ base: "1fr", sm: "1fr 1fr" }}
        gap="3"
        justifyItems="center"
        touchAction="none"
        userSelect="none"
        style={{
          transform: swipe.shift ? `translateX(${swipe.shift / 3}px) rotate(${swipe.shift / 60}deg)` : undefined,
        }}
        onClickCapture={(event) => {
          if (swiped.current) event.stopPropagation();
          swiped.current = false;
        }}
        onPointerUpCapture={() => {
          swiped.current = Math.abs(swipe.shift) > 8;
        }}
      >
        {(["left", "right"] as const).map((side) => (
          <Side
            key={`${side} ${pair[side].generation_id}`}
            pair={pair}
            side={side}
            onChoose={() => mayVote && choose(side)}
          />
        ))}
      </Grid>
      {mayVote ? (
        <Flex gap="2" wrap="wrap" justify="center" maxW="3xl" w="full" mx="auto">
          <Button {...big} {...side("left")} variant="outline" onClick={() => choose("left")}>
            {t("judge.left")}
          </Button>
          <Button {...big} order="2" variant="outline" onClick={() => choose("tie")}>
            <Equal size={16} />
            {t("judge.tie")}
          </Button>
          <Button {...big} {...side("right")} variant="outline" onClick={() => choose("right")}>
            {t("judge.right")}
          </Button>
          <Button
            {...big}
            order={{ base: "4", md: "0" }}
            flex={{ base: "1 1 45%", md: "0 0 auto" }}
            variant="ghost"
            disabled={!deck.given.length}
            onClick={() => undo()}
          >
            <Undo2 size={16} />
            {t("judge.undo")}
          </Button>
          <Button
            {...big}
            order="5"
            flex={{ base: "1 1 45%", md: "0 0 auto" }}
            variant="ghost"
            onClick={() => choose("skip")}
          >
            <SkipForward size={16} />
            {t("judge.skip")}
          </Button>
        </Flex>
      ) : (
        <Text textAlign="center">{t("judge.viewer")}</Text>
      )}
      <Verdict given={deck.given.at(-1)} />
    </Flex>
  );
}

function Side({ pair, side, onChoose }: { pair: Pair; side: "left" | "right"; onChoose: () => void }) {
  const { image } = pair[side];
  const [broken, setBroken] = useState(false);
  return (
    <Box
      asChild
      position="relative"
      display="block"
      // Two of them, one over the other or side by side, with all buttons, fit the screen.
      w={{ base: "min(100%, calc((100dvh - 28rem) / 2))", sm: "min(100%, calc(100dvh - 23rem))" }}
      minW={{ base: "36", sm: "48" }}
      aspectRatio="1"
      bg="bg.muted"
      rounded="lg"
      overflow="hidden"
      cursor="pointer"
      _hover={{ boxShadow: "0 0 0 3px var(--chakra-colors-brand-solid)" }}
    >
      <button
        type="button"
        aria-label={t(side === "left" ? "judge.chooseLeft" : "judge.chooseRight")}
        onClick={onChoose}
      >
        {image && !broken ? (
          <img
            src={image.url}
            alt=""
            draggable={false}
            onError={() => setBroken(true)}
            style={{ width: "100%", height: "100%", objectFit: "contain" }}
          />
        ) : (
          <Text p="4">{t("judge.noPicture")}</Text>
        )}
        <Flex
          position="absolute"
          top="2"
          insetStart="2"
          boxSize="7"
          align="center"
          justify="center"
          rounded="full"
          bg="bg.panel"
          fontWeight="semibold"
          aria-hidden
        >
          {t(side === "left" ? "judge.nameLeft" : "judge.nameRight")}
        </Flex>
      </button>
    </Box>
  );
}

/** What the last two were, when the jury wants to know. Pairs that come are not influenced: they stay without labels. */
function Verdict({ given }: { given: Given | undefined }) {
  const reveal = useSeat((seat) => seat.reveal);
  const said = given && t(`judge.said.${given.choice}`);
  const of = (side: "left" | "right") => {
    const axes = given?.pair[side].axes ?? {};
    return describeSetting(Object.fromEntries((given?.pair.differs ?? []).map((name) => [name, axes[name]])), []);
  };
  return (
    <Text role="status" fontSize="xs" color="fg.muted" textAlign="center" minH="9">
      {said}
      {given && reveal && ` ${t("judge.were", { left: of("left"), right: of("right") })}`}
    </Text>
  );
}
