// What is varied: the axes in their order, and a list from which more are added.
import { Box, Button, Flex, NativeSelect, Text } from "@chakra-ui/react";
import { useState } from "react";
import { t } from "@/i18n";
import { control } from "../control";
import { focusSoon } from "../focus";
import { useProblemsAt } from "../plan";
import { addAxis, neededBy, newAxis, pointCount, variables, varies } from "../spec/edits";
import { parameterNames } from "../spec/parameters";
import { useChange, useForm } from "../store";
import { parameterLabel } from "../words";
import { AxisCard } from "./AxisCard";
import { AxisChips } from "./AxisChips";
import { Section } from "./Section";

function AddAxis() {
  const form = useForm();
  const change = useChange();
  const add = (what: string) => {
    if (!what) return;
    const axis = newAxis(what);
    change((old) => addAxis(old, axis));
    focusSoon(axis.id);
  };
  const free = parameterNames.filter((name) => name !== "prompt" && !varies(form, name));
  const words = variables(form).filter(({ filled }) => !filled);
  return (
    <NativeSelect.Root size={control.size} maxW={{ md: "72" }}>
      <NativeSelect.Field
        data-focus="add-axis"
        aria-label={t("builder.axes.add")}
        fontSize={control.fontSize}
        bg="bg.panel"
        value=""
        onChange={({ target }) => add(target.value)}
      >
        <option value="">{t("builder.axes.add")}</option>
        <optgroup label={t("builder.axes.parameters")}>
          {free.map((name) => (
            <option key={name} value={name}>
              {parameterLabel(name)}
            </option>
          ))}
        </optgroup>
        <optgroup label={t("builder.axes.words")}>
          {words.map(({ word }) => (
            <option key={word} value={`variable:${word}`}>{`{${word}}`}</option>
          ))}
          <option value="variable:">{t("builder.axes.newWord")}</option>
          <option value="replace">{t("builder.axes.replace")}</option>
        </optgroup>
        <optgroup label={t("builder.axes.sets")}>
          <option value="settings">{t("builder.axes.settings")}</option>
        </optgroup>
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

/** Of the spec as a whole: the axis that the type wants. */
function Needed() {
  const form = useForm();
  const change = useChange();
  const needed = neededBy[form.type];
  if (!needed || varies(form, needed)) return null;
  return (
    <Button size="sm" variant="outline" mb="3" onClick={() => change((old) => addAxis(old, newAxis(needed)))}>
      {t("builder.type.add", { axis: parameterLabel(needed) })}
    </Button>
  );
}

export function AxesSection() {
  const { axes } = useForm();
  const [said, announce] = useState("");
  const general = useProblemsAt("/axes").filter(({ pointer }) => pointer === "/axes");
  const counts = axes.map(pointCount);
  const product = counts.every((count) => count !== undefined)
    ? counts.reduce((all: number, count) => all * (count ?? 1), 1)
    : undefined;
  return (
    <Section
      title={t("builder.axes.title")}
      help={t("builder.axes.help")}
      problems={general.map(({ expected }) => expected)}
      aside={
        product !== undefined &&
        axes.length > 0 && (
          <Text fontSize="xs" color="fg.muted" aria-live="polite">
            {t("builder.axes.cells", { n: product })}
          </Text>
        )
      }
    >
      <Needed />
      <AxisChips announce={announce} />
      <Box srOnly aria-live="polite">
        {said}
      </Box>
      {axes.length ? (
        <Flex as="ol" direction="column" gap="3" mb="3">
          {axes.map((axis, index) => (
            <AxisCard key={axis.id} axis={axis} index={index} last={index === axes.length - 1} />
          ))}
        </Flex>
      ) : (
        <Text fontSize="sm" color="fg.muted" mb="3">
          {t("builder.axes.empty")}
        </Text>
      )}
      <AddAxis />
    </Section>
  );
}
