// A picture in a box of a given size, or a word on why there is none.
import { Box, Text } from "@chakra-ui/react";
import { useState } from "react";
import { type Generation, thumbnail } from "@/api/client";
import { t } from "@/i18n";

type Shown = Pick<Generation, "image" | "status" | "prompt" | "error" | "seed">;

/** `size`: CSS pixels of the side; the thumbnail is chosen for the screen's density. */
export function Thumb({ generation, size, alt }: { generation: Shown; size: number; alt?: string }) {
  const [broken, setBroken] = useState(false);
  const url = thumbnail(generation, size);
  if (url && !broken)
    return (
      <img
        src={url}
        alt={alt ?? generation.prompt}
        loading="lazy"
        decoding="async"
        draggable={false}
        onError={() => setBroken(true)}
        style={{ width: "100%", height: "100%", objectFit: "cover", display: "block" }}
      />
    );
  return (
    <Box display="grid" placeItems="center" w="full" h="full" bg="bg.muted" p="1" overflow="hidden">
      <Text fontSize="xs" color="fg.muted" textAlign="center" lineClamp="3" title={generation.error?.message}>
        {t(`common.status.${generation.status}`)}
      </Text>
    </Box>
  );
}
