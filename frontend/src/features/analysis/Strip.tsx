// The pictures behind a number: all cells with one setting. A click opens the picture.
import { Box, Button, Flex, IconButton, Text } from "@chakra-ui/react";
import { Crosshair, X } from "lucide-react";
import { useState } from "react";
import type { Generation } from "@/api/client";
import { Thumb } from "@/components/Thumb";
import { useDetail } from "@/features/detail/useDetail";
import { type Axis, describeCell } from "@/features/experiment/coordinates";
import { t } from "@/i18n";

const FIRST = 24;

interface Props {
  title: string;
  cells: Generation[];
  axes: Axis[];
  onClose: () => void;
  /** Compare everything with this picture's place on the reference's axis. */
  onReference?: (id: string) => void;
}

export function Strip({ title, cells, axes, onClose, onReference }: Props) {
  const detail = useDetail();
  const [most, setMost] = useState(FIRST);
  const ids = cells.map(({ id }) => id);
  return (
    <Box mt="3" p="3" rounded="md" bg="bg.subtle" role="region" aria-label={t("analysis.strip.label")}>
      <Flex gap="2" align="start" mb="2">
        <Text flex="1" minW="0" fontSize="xs" aria-live="polite">
          {t("analysis.strip.title", { setting: title, n: cells.length })}
        </Text>
        <IconButton
          size="xs"
          variant="ghost"
          minH={{ base: "9", md: "6" }}
          aria-label={t("analysis.strip.close")}
          onClick={onClose}
        >
          <X size={14} />
        </IconButton>
      </Flex>
      {!cells.length && <Text color="fg.muted">{t("analysis.strip.none")}</Text>}
      <Flex as="ul" gap="2" overflowX="auto" pb="2" listStyleType="none">
        {cells.slice(0, most).map((cell) => (
          <Box as="li" key={cell.id} flexShrink="0" w="28">
            <Box asChild display="block" w="28" h="28" rounded="md" overflow="hidden" cursor="zoom-in">
              <button type="button" onClick={() => detail.open(cell.id, ids)}>
                <Thumb generation={cell} size={112} alt={describeCell(cell, axes)} />
              </button>
            </Box>
            {onReference && cell.status === "succeeded" && (
              <Button
                size="xs"
                variant="ghost"
                w="full"
                minH={{ base: "9", md: "6" }}
                onClick={() => onReference(cell.id)}
              >
                <Crosshair size={12} />
                {t("analysis.strip.reference")}
              </Button>
            )}
          </Box>
        ))}
        {cells.length > most && (
          <Button as="li" variant="outline" alignSelf="center" onClick={() => setMost(most + 100)}>
            {t("analysis.strip.more", { n: cells.length - most })}
          </Button>
        )}
      </Flex>
    </Box>
  );
}
