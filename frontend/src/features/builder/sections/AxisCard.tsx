// One axis: what it varies, its values, and what can be done with it as a whole.
import { Box, Button, Flex, Heading, HStack, IconButton, Input, NativeSelect, Text } from "@chakra-ui/react";
import { ArrowDown, ArrowUp, Link2, Unlink2, X } from "lucide-react";
import { FieldFrame } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { control } from "../control";
import { usePointer, useProblemsAt } from "../plan";
import { valueProblems } from "../problems";
import { moveAxis, neededBy, pointCount, promptAxis, removeAxis, tieAxes, untieAxis } from "../spec/edits";
import type { FormAxis, SimpleAxis } from "../spec/form";
import { useChange, useForm, withAxis } from "../store";
import { ValuesEditor } from "../values/ValuesEditor";
import { axisLabel } from "../words";
import { countText } from "./AxisChips";

/** The word of a variable, or the text that is searched for. */
function WordField({ axis }: { axis: Extract<SimpleAxis, { word: string }> }) {
  const change = useChange();
  return (
    <FieldFrame label={t(axis.kind === "variable" ? "builder.axes.word" : "builder.axes.search")}>
      {(described) => (
        <Input
          {...described}
          {...control}
          data-focus={axis.word ? undefined : axis.id}
          value={axis.word}
          onChange={({ target }) =>
            change(
              withAxis(axis.id, (old) => ({ ...old, word: target.value }) as SimpleAxis),
              `word ${axis.id}`,
            )
          }
        />
      )}
    </FieldFrame>
  );
}

function AxisValues({ axis }: { axis: SimpleAxis }) {
  const change = useChange();
  const pointer = usePointer(axis.id) ?? "/none";
  const { error, wrong } = valueProblems(useProblemsAt(pointer), pointer);
  const above = useForm();
  if (promptAxis(above)?.id === axis.id)
    return (
      <Text fontSize="sm" color="fg.muted">
        {t("builder.axes.prompts")}
      </Text>
    );
  return (
    <Flex direction="column" gap="2">
      {(axis.kind === "variable" || axis.kind === "replace") && <WordField axis={axis} />}
      <ValuesEditor
        axis={axis}
        inputId={axis.id}
        error={error}
        wrong={wrong}
        onChange={(values) =>
          change(
            withAxis(axis.id, (old) => ({ ...old, ...values })),
            axis.id,
          )
        }
      />
    </Flex>
  );
}

function NameField({ axis }: { axis: FormAxis }) {
  const change = useChange();
  const rename = (name: string) =>
    change(
      (form) => ({
        ...form,
        axes: form.axes.map((one) =>
          one.id === axis.id ? { ...one, name: name || (axis.kind === "settings" ? "" : undefined) } : one,
        ),
      }),
      `name ${axis.id}`,
    );
  return (
    <FieldFrame label={t("builder.axes.rename")}>
      {(described) => (
        <Input
          {...described}
          {...control}
          value={axis.name ?? ""}
          placeholder={axisLabel({ ...axis, name: undefined })}
          onChange={({ target }) => rename(target.value)}
        />
      )}
    </FieldFrame>
  );
}

function TieField({ axis }: { axis: FormAxis }) {
  const { axes } = useForm();
  const change = useChange();
  const others = axes.filter((one) => one.id !== axis.id && one.kind !== "other" && one.kind !== "settings");
  if (!others.length || axis.kind === "other" || axis.kind === "settings") return null;
  return (
    <FieldFrame label={t("builder.axes.tieHelp", { axis: axisLabel(axis) })}>
      {(described) => (
        <NativeSelect.Root size={control.size}>
          <NativeSelect.Field
            {...described}
            fontSize={control.fontSize}
            bg="bg.panel"
            value=""
            onChange={({ target }) => target.value && change((form) => tieAxes(form, axis.id, target.value))}
          >
            <option value="">{t("builder.axes.addNow")}</option>
            {others.map((one) => (
              <option key={one.id} value={one.id}>
                {axisLabel(one)} ({countText(one)})
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      )}
    </FieldFrame>
  );
}

function Zip({ axis }: { axis: Extract<FormAxis, { kind: "zip" }> }) {
  const change = useChange();
  const counts = axis.axes.map((one) => `${axisLabel(one)} ${pointCount(one) ?? "?"}`).join(", ");
  return (
    <Box>
      <Flex align="center" gap="2" mb="2" color="fg.muted" fontSize="sm">
        <Link2 size={15} aria-hidden />
        <Text flex="1">{t("builder.axes.tied")}</Text>
        <Button size="xs" variant="outline" onClick={() => change((form) => untieAxis(form, axis.id))}>
          <Unlink2 size={14} />
          {t("builder.axes.untie")}
        </Button>
      </Flex>
      {pointCount(axis) === undefined && (
        <Text fontSize="xs" color="fg.error" role="alert" mb="2">
          {t("builder.axes.unevenHelp", { counts })}
        </Text>
      )}
      <Flex direction="column" gap="4" ps="3" borderStartWidth="2px" borderColor="brand.emphasized">
        {axis.axes.map((one) => (
          <AxisValues key={one.id} axis={one} />
        ))}
      </Flex>
    </Box>
  );
}

function Buttons({ axis, index, last, needed }: { axis: FormAxis; index: number; last: boolean; needed: boolean }) {
  const change = useChange();
  const name = { axis: axisLabel(axis) };
  const button = { size: "xs", variant: "ghost", boxSize: { base: "9", md: "7" }, minW: "6" } as const;
  return (
    <HStack gap="0">
      <IconButton
        {...button}
        disabled={index === 0}
        aria-label={t("builder.axes.up", name)}
        onClick={() => change((form) => moveAxis(form, axis.id, index - 1))}
      >
        <ArrowUp size={15} />
      </IconButton>
      <IconButton
        {...button}
        disabled={last}
        aria-label={t("builder.axes.down", name)}
        onClick={() => change((form) => moveAxis(form, axis.id, index + 1))}
      >
        <ArrowDown size={15} />
      </IconButton>
      <IconButton
        {...button}
        disabled={needed}
        aria-label={t("builder.axes.remove", name)}
        onClick={() => change((form) => removeAxis(form, axis.id))}
      >
        <X size={15} />
      </IconButton>
    </HStack>
  );
}

export function AxisCard({ axis, index, last }: { axis: FormAxis; index: number; last: boolean }) {
  const type = useForm().type;
  const needed = axis.kind === "parameter" && neededBy[type] === axis.parameter;
  return (
    <Box as="li" p="3" borderWidth="1px" rounded="md" listStyleType="none" minW="0">
      <Flex align="center" gap="2" mb="2">
        <Heading as="h3" size="sm" fontWeight="semibold" truncate>
          {axisLabel(axis)}
        </Heading>
        <Text fontSize="xs" color="fg.muted" flex="1" truncate>
          {countText(axis)}
          {needed && ` · ${t("builder.type.needs")}`}
        </Text>
        <Buttons axis={axis} index={index} last={last} needed={needed} />
      </Flex>
      {axis.kind === "other" ? (
        <Text fontSize="sm" color="fg.muted">
          {t("builder.axes.other")}
        </Text>
      ) : axis.kind === "zip" ? (
        <Zip axis={axis} />
      ) : (
        <AxisValues axis={axis} />
      )}
      {axis.kind !== "other" && (
        <Box asChild mt="2">
          <details open={axis.kind === "settings" || undefined}>
            <Box as="summary" cursor="pointer" fontSize="xs" color="fg.muted" py="1">
              {t("builder.axes.more")}
            </Box>
            <Flex direction={{ base: "column", sm: "row" }} gap="3" pt="1" css={{ "& > *": { flex: 1 } }}>
              <NameField axis={axis} />
              <TieField axis={axis} />
            </Flex>
          </details>
        </Box>
      )}
    </Box>
  );
}
