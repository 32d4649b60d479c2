// A picture in its box, zoomed as all the others are.
import { Box } from "@chakra-ui/react";
import type { CSSProperties } from "react";
import type { Generation } from "@/api/client";
import { transformOf, type Zoom } from "@/features/grid/zoom";
import { t } from "@/i18n";
import { letterOf } from "./parameters";

export function transformStyle(zoom: Zoom): CSSProperties {
  const { scale, left, top } = transformOf(zoom);
  return {
    position: "absolute",
    inset: 0,
    width: "100%",
    height: "100%",
    maxWidth: "none",
    objectFit: "contain",
    userSelect: "none",
    transformOrigin: "0 0",
    transform: `translate(${left}, ${top}) scale(${scale})`,
    imageRendering: scale >= 6 ? "pixelated" : undefined,
  };
}

export interface Shown {
  generation: Generation;
  /** What it is called here: its place when the comparison began. */
  place: number;
}

export const Picture = ({ generation, zoom }: { generation: Generation; zoom: Zoom }) => (
  <img src={generation.image?.url} alt={generation.prompt} draggable={false} style={transformStyle(zoom)} />
);

export function Letter({ place, end = false }: { place: number; end?: boolean }) {
  return (
    <Box
      position="absolute"
      top="2"
      {...(end ? { insetEnd: "2" } : { insetStart: "2" })}
      px="2"
      rounded="sm"
      bg="blackAlpha.700"
      color="white"
      fontSize="xs"
      fontWeight="semibold"
      pointerEvents="none"
      aria-hidden
    >
      {letterOf(place)}
    </Box>
  );
}

export function Pane({ shown: { generation, place }, zoom }: { shown: Shown; zoom: Zoom }) {
  return (
    <Box
      data-pane
      position="relative"
      overflow="hidden"
      minH="0"
      minW="0"
      bg="bg.muted"
      rounded="sm"
      cursor={zoom.scale > 1 ? "grab" : "zoom-in"}
      role="group"
      aria-label={t("compare.picture", { letter: letterOf(place), what: generation.prompt })}
    >
      {generation.image ? (
        <Picture generation={generation} zoom={zoom} />
      ) : (
        <Box display="grid" placeItems="center" h="full" p="4" color="fg.muted" textAlign="center">
          {t("compare.gone", { status: generation.error?.message ?? t(`common.status.${generation.status}`) })}
        </Box>
      )}
      <Letter place={place} />
    </Box>
  );
}
