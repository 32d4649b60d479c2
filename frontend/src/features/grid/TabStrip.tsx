// One button for each value of the axis of tabs; many values are a list to choose from.
import { Button, Flex } from "@chakra-ui/react";
import type { Axis } from "./cube";
import { Pick } from "./Pick";
import type { Patch, View } from "./view";

const MANY = 12;

interface Props {
  axis: Axis;
  view: View;
  change: (patch: Patch) => void;
}

export function TabStrip({ axis, view, change }: Props) {
  const choose = (place: number) => change({ tab: place || undefined });
  if (axis.values.length > MANY)
    return (
      <Pick
        label={axis.title}
        value={String(view.tab)}
        options={axis.values.map((one, i) => ({ value: String(i), label: one.label }))}
        onChange={(value) => choose(Number(value))}
      />
    );
  return (
    <Flex role="group" aria-label={axis.title} gap="1" overflowX="auto" flexShrink="0" maxW="full" p="1px">
      {axis.values.map((one, i) => (
        <Button
          key={one.label}
          size="xs"
          h={{ base: "9", md: "7" }}
          flexShrink="0"
          maxW="64"
          variant={i === view.tab ? "subtle" : "ghost"}
          aria-pressed={i === view.tab}
          title={one.label}
          onClick={() => choose(i)}
        >
          <span style={{ overflow: "hidden", textOverflow: "ellipsis" }}>{one.label}</span>
        </Button>
      ))}
    </Flex>
  );
}
