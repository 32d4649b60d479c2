// The axes in a row, as chips: their order at a glance. Drag one, or move it with Shift and an arrow key.
import { Box, Flex, Text } from "@chakra-ui/react";
import { type DragEvent, type KeyboardEvent, useState } from "react";
import { t } from "@/i18n";
import { focusOn, focusSoon } from "../focus";
import { moveAxis, pointCount, removeAxis } from "../spec/edits";
import type { FormAxis } from "../spec/form";
import { useChange, useForm } from "../store";
import { axisLabel } from "../words";

export const countText = (axis: FormAxis): string => {
  const count = pointCount(axis);
  if (count !== undefined) return t("builder.axes.points", { n: count });
  return t(axis.kind === "zip" ? "builder.axes.uneven" : "builder.axes.unread");
};

interface ChipProps {
  axis: FormAxis;
  index: number;
  onMove: (to: number) => void;
  onDrag: (id: string | undefined) => void;
  onOver: () => void;
}

function AxisChip({ axis, index, onMove, onDrag, onOver }: ChipProps) {
  const change = useChange();
  const count = pointCount(axis);
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by && event.shiftKey) onMove(index + by);
    else if (event.key === "Delete" || event.key === "Backspace") change((form) => removeAxis(form, axis.id));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <Flex
      as="button"
      draggable
      data-focus={`chip ${axis.id}`}
      align="center"
      gap="1.5"
      h={{ base: "9", md: "7" }}
      px="3"
      rounded="full"
      bg="brand.muted"
      color="brand.fg"
      fontSize="sm"
      fontWeight="medium"
      maxW="60"
      cursor="grab"
      aria-label={t("builder.axes.go", { axis: axisLabel(axis), count: countText(axis) })}
      onClick={() => focusOn(axis.kind === "parameter" && axis.parameter === "prompt" ? "prompts" : axis.id)}
      onKeyDown={key}
      onDragStart={() => onDrag(axis.id)}
      onDragEnd={() => onDrag(undefined)}
      onDragEnter={onOver}
      onDragOver={(event: DragEvent) => event.preventDefault()}
    >
      <Text as="span" truncate>
        {axisLabel(axis)}
      </Text>
      <Text as="span" fontVariantNumeric="tabular-nums" opacity={count === undefined ? 1 : 0.9}>
        {count ?? "?"}
      </Text>
    </Flex>
  );
}

export function AxisChips({ announce }: { announce: (text: string) => void }) {
  const { axes } = useForm();
  const change = useChange();
  const [dragged, setDragged] = useState<string>();
  if (axes.length < 2) return null;
  const move = (axis: FormAxis, to: number) => {
    const target = Math.max(0, Math.min(axes.length - 1, to));
    change((form) => moveAxis(form, axis.id, target));
    announce(t("builder.axes.moved", { axis: axisLabel(axis), n: target + 1, all: axes.length }));
    focusSoon(`chip ${axis.id}`);
  };
  return (
    <Flex
      as="ol"
      wrap="wrap"
      gap="1.5"
      align="center"
      mb="3"
      listStyleType="none"
      aria-label={t("builder.axes.overview")}
    >
      {axes.map((axis, index) => (
        <Flex as="li" key={axis.id} align="center" gap="1.5">
          {index > 0 && (
            <Box as="span" aria-hidden color="fg.muted">
              ×
            </Box>
          )}
          <AxisChip
            axis={axis}
            index={index}
            onMove={(to) => move(axis, to)}
            onDrag={setDragged}
            onOver={() => dragged && dragged !== axis.id && change((form) => moveAxis(form, dragged, index), "drag")}
          />
        </Flex>
      ))}
    </Flex>
  );
}
