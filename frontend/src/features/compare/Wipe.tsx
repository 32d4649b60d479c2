// Two pictures in one box with a line between them that one moves.
import { Box } from "@chakra-ui/react";
import { MoveHorizontal } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import type { Zoom } from "@/features/grid/zoom";
import { t } from "@/i18n";
import { Letter, Picture, type Shown } from "./Pane";
import { letterOf } from "./parameters";

const steps: Record<string, number> = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
const held = (value: number): number => Math.min(100, Math.max(0, value));

export function Wipe({ pair: [one, other], zoom }: { pair: readonly [Shown, Shown]; zoom: Zoom }) {
  const [split, setSplit] = useState(50);
  const box = useRef<HTMLDivElement>(null);
  const follow = (event: PointerEvent) => {
    const frame = box.current?.getBoundingClientRect();
    if (!frame || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    setSplit(held(((event.clientX - frame.left) / frame.width) * 100));
  };
  const key = (event: KeyboardEvent) => {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setSplit((old) => held(old + step));
  };
  return (
    <Box ref={box} data-pane position="relative" overflow="hidden" h="full" bg="bg.muted" rounded="sm">
      <Picture generation={other.generation} zoom={zoom} />
      <Box
        position="absolute"
        inset="0"
        overflow="hidden"
        bg="bg.muted"
        style={{ clipPath: `inset(0 ${100 - split}% 0 0)` }}
      >
        <Picture generation={one.generation} zoom={zoom} />
      </Box>
      <Letter place={one.place} />
      <Letter place={other.place} end />
      <Box
        data-handle
        role="slider"
        tabIndex={0}
        aria-label={t("compare.wipeHandle", { a: letterOf(one.place), b: letterOf(other.place) })}
        aria-valuenow={Math.round(split)}
        aria-valuemin={0}
        aria-valuemax={100}
        position="absolute"
        top="0"
        bottom="0"
        w="11"
        ms="-22px"
        cursor="ew-resize"
        touchAction="none"
        display="grid"
        placeItems="center"
        style={{ left: `${split}%` }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={follow}
        onKeyDown={key}
      >
        <Box position="absolute" top="0" bottom="0" w="2px" bg="white" boxShadow="0 0 0 1px rgb(0 0 0 / 0.6)" />
        <Box position="relative" bg="white" color="black" rounded="full" p="1.5" boxShadow="0 0 0 1px rgb(0 0 0 / 0.6)">
          <MoveHorizontal size={16} aria-hidden />
        </Box>
      </Box>
    </Box>
  );
}
