// Parameters that a value, a named setting or a rule sets: rows of "steps = 8".
import { Box, Flex, IconButton, Input, NativeSelect, Text } from "@chakra-ui/react";
import { X } from "lucide-react";
import { t } from "@/i18n";
import { scalarOf } from "../spec/condition";
import { parameterNames } from "../spec/parameters";
import { useOptions } from "../useOptions";
import { parameterLabel } from "../words";

type Members = Record<string, unknown>;

interface ValueProps {
  name: string;
  label: string;
  value: unknown;
  onChange: (value: unknown) => void;
  invalid?: boolean;
  /** Values to choose from, of a word that an axis fills in. */
  choices?: string[];
}

/** One value of a parameter: from a list where there is one, else typed. */
export function ScalarInput({ name, label, value, onChange, invalid, choices }: ValueProps) {
  const options = useOptions(name) ?? choices?.map((one) => ({ value: one, label: one }));
  const text = value === undefined || value === null ? "" : String(value);
  if (!options)
    return (
      <Input
        size="sm"
        bg="bg.panel"
        flex="1 1 6rem"
        minW="16"
        aria-label={label}
        aria-invalid={invalid || undefined}
        value={text}
        onChange={({ target }) => onChange(scalarOf(name, target.value))}
      />
    );
  return (
    <NativeSelect.Root size="sm" flex="1 1 8rem" w="auto" minW="24">
      <NativeSelect.Field
        aria-label={label}
        aria-invalid={invalid || undefined}
        bg="bg.panel"
        value={text}
        onChange={({ target }) => onChange(target.value)}
      >
        <option value="">{t("builder.set.choose")}</option>
        {text !== "" && !options.some((one) => one.value === text) && <option value={text}>{text}</option>}
        {options.map((one) => (
          <option key={one.value} value={one.value}>
            {one.label}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

export function SetEditor({ value, onChange }: { value: Members; onChange: (value: Members) => void }) {
  const free = parameterNames.filter((name) => !Object.hasOwn(value, name));
  return (
    <Flex direction="column" gap="2" minW="0" flex="1">
      {Object.entries(value).map(([name, one]) => (
        <Flex key={name} align="center" gap="2" wrap="wrap">
          <Text fontSize="sm">{parameterLabel(name)}</Text>
          <Text aria-hidden color="fg.muted">
            =
          </Text>
          <ScalarInput
            name={name}
            label={t("builder.set.value", { parameter: parameterLabel(name) })}
            value={one}
            onChange={(next) => onChange({ ...value, [name]: next })}
          />
          <IconButton
            size="xs"
            variant="ghost"
            aria-label={t("builder.set.remove", { parameter: parameterLabel(name) })}
            onClick={() => onChange(Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)))}
          >
            <X size={14} />
          </IconButton>
        </Flex>
      ))}
      <Box maxW="56">
        <NativeSelect.Root size="sm">
          <NativeSelect.Field
            aria-label={t("builder.set.add")}
            bg="bg.panel"
            value=""
            onChange={({ target }) => target.value && onChange({ ...value, [target.value]: "" })}
          >
            <option value="">{t("builder.set.add")}</option>
            {free.map((name) => (
              <option key={name} value={name}>
                {parameterLabel(name)}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      </Box>
    </Flex>
  );
}
