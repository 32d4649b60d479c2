// The pictures one after the other in the same place: what differs jumps. By hand, or by itself at a rate that is no
// danger to anybody (at most three changes a second).
import { Box, Button, Flex } from "@chakra-ui/react";
import { useEffect, useState } from "react";
import type { Zoom } from "@/features/grid/zoom";
import { t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { Letter, Picture, type Shown } from "./Pane";
import { letterOf } from "./parameters";

const onControl = (): boolean => !!document.activeElement?.matches("button, input, select, a, [role=slider]");

export function Flicker({ all, zoom }: { all: readonly Shown[]; zoom: Zoom }) {
  const [at, setAt] = useState(0);
  const [automatic, setAutomatic] = useState(false);
  const [rate, setRate] = useState(1);
  const count = all.length;
  useEffect(() => {
    if (!automatic) return;
    const timer = setInterval(() => setAt((old) => (old + 1) % count), 1000 / rate);
    return () => clearInterval(timer);
  }, [automatic, rate, count]);
  useHotkeys([
    { keys: " ", label: t("compare.show"), when: () => !onControl(), run: () => setAt((old) => (old + 1) % count) },
    { keys: "a", label: t("compare.automatic"), run: () => setAutomatic((old) => !old) },
  ]);
  const now = all[at % count];
  return (
    <Flex direction="column" gap="2" h="full">
      <Box data-pane position="relative" overflow="hidden" flex="1" minH="0" bg="bg.muted" rounded="sm">
        {/* All are there all the time: none of them has to be decoded when its turn comes. */}
        {all.map((one, i) => (
          <Box
            key={one.generation.id}
            position="absolute"
            inset="0"
            bg="bg.muted"
            visibility={i === at % count ? "visible" : "hidden"}
          >
            <Picture generation={one.generation} zoom={zoom} />
            <Letter place={one.place} />
          </Box>
        ))}
      </Box>
      <Flex gap="3" align="center" wrap="wrap" fontSize="xs">
        <Button size="sm" onClick={() => setAt((old) => (old + 1) % count)}>
          {t("compare.show")}
        </Button>
        <Button size="sm" variant="outline" aria-pressed={automatic} onClick={() => setAutomatic((old) => !old)}>
          {t("compare.automatic")}
        </Button>
        <label htmlFor="compare-rate">{t("compare.rate")}</label>
        <input
          id="compare-rate"
          type="range"
          min={0.5}
          max={3}
          step={0.5}
          value={rate}
          style={{ height: "1.5rem" }}
          onChange={({ target }) => setRate(Number(target.value))}
        />
        <span data-shown aria-live={automatic ? "off" : "polite"}>
          {now && t("compare.shown", { letter: letterOf(now.place) })}
        </span>
      </Flex>
    </Flex>
  );
}
