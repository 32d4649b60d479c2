// What differs between two pictures, as a picture and in numbers.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useEffect, useRef, useState } from "react";
import { Loading, ProblemNotice } from "@/components/states";
import { Pick } from "@/features/grid/Pick";
import { gradient } from "@/features/grid/scale";
import type { Zoom } from "@/features/grid/zoom";
import { t } from "@/i18n";
import type { Kind } from "./difference";
import { type Shown, transformStyle } from "./Pane";
import { letterOf } from "./parameters";
import { type Shown as Made, useDifference } from "./useDifference";

function Canvas({ made, zoom, label }: { made: Made; zoom: Zoom; label: string }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = ref.current?.getContext("2d");
    context?.putImageData(new ImageData(made.pixels, made.width, made.height), 0, 0);
  }, [made]);
  return (
    <canvas
      ref={ref}
      role="img"
      aria-label={label}
      width={made.width}
      height={made.height}
      style={transformStyle(zoom)}
    />
  );
}

function Numbers({ made }: { made: Made }) {
  if (!made.max) return <Text fontSize="sm">{t("compare.same")}</Text>;
  const list = [
    [t("compare.mean"), t("compare.ofRange", { n: made.mean })],
    [t("compare.max"), t("compare.ofRange", { n: made.max })],
    [t("compare.changed"), t("compare.percent", { n: made.changed * 100 })],
  ];
  return (
    <Flex as="dl" gap="4" wrap="wrap" fontSize="xs" m="0" data-numbers>
      {list.map(([title, text]) => (
        <Box key={title}>
          <Box as="dt" color="fg.muted">
            {title}
          </Box>
          <Box as="dd" m="0" fontWeight="semibold" fontVariantNumeric="tabular-nums">
            {text}
          </Box>
        </Box>
      ))}
    </Flex>
  );
}

export function DifferenceView({ pair: [one, other], zoom }: { pair: readonly [Shown, Shown]; zoom: Zoom }) {
  const [kind, setKind] = useState<Kind>("heat");
  const [gain, setGain] = useState(4);
  const { shown, error } = useDifference(one.generation.image?.url, other.generation.image?.url, kind, gain);
  const label = `${t("compare.difference")}: ${letterOf(one.place)}, ${letterOf(other.place)}`;
  if (error) return <ProblemNotice error={error} title={t("compare.failed")} />;
  return (
    <Flex direction="column" gap="2" h="full">
      <Box data-pane position="relative" overflow="hidden" flex="1" minH="0" bg="black" rounded="sm">
        {shown ? <Canvas made={shown} zoom={zoom} label={label} /> : <Loading label={t("compare.computing")} />}
      </Box>
      <Flex gap="4" rowGap="2" align="center" wrap="wrap" fontSize="xs">
        <Pick
          label={t("compare.differenceKind")}
          value={kind}
          options={[
            { value: "heat", label: t("compare.heat") },
            { value: "absolute", label: t("compare.absolute") },
          ]}
          onChange={(value) => setKind(value === "absolute" ? value : "heat")}
        />
        {kind === "heat" && (
          <Flex align="center" gap="2">
            <label htmlFor="compare-gain">{t("compare.gain")}</label>
            <input
              id="compare-gain"
              type="range"
              min={1}
              max={32}
              step={1}
              value={gain}
              style={{ height: "1.5rem", width: "6rem" }}
              onChange={({ target }) => setGain(Number(target.value))}
            />
            <span>{t("compare.times", { n: gain })}</span>
            <Box w="16" h="3" rounded="sm" style={{ background: gradient }} aria-hidden />
          </Flex>
        )}
        {shown && <Numbers made={shown} />}
      </Flex>
    </Flex>
  );
}
