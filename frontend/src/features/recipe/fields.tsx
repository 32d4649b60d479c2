// Labelled inputs of a recipe: the label, the native control, what is wrong with it. Native controls, because they are
// light, speak every assistive technology, and bring the right keyboard on a phone.
import { Box, Flex, HStack, Input, NativeSelect, Text, Textarea } from "@chakra-ui/react";
import { type ReactNode, useId } from "react";

export interface Described {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean | undefined;
}

interface FrameProps {
  label: string;
  error?: string;
  help?: string;
  /** Beside the label. */
  aside?: ReactNode;
  children: (described: Described) => ReactNode;
}

export function FieldFrame({ label, error, help, aside, children }: FrameProps) {
  const id = useId();
  const note = error ?? help;
  return (
    <Flex direction="column" gap="1" minW="0">
      <HStack justify="space-between" minH="5">
        <Box asChild fontSize="xs" fontWeight="medium" color="fg.muted">
          <label htmlFor={id}>{label}</label>
        </Box>
        {aside}
      </HStack>
      {children({
        id,
        "aria-describedby": note ? `${id}-note` : undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {note && (
        <Text
          id={`${id}-note`}
          fontSize="xs"
          color={error ? "fg.error" : "fg.muted"}
          role={error ? "alert" : undefined}
        >
          {note}
        </Text>
      )}
    </Flex>
  );
}

/** 16 px on phones: below that iOS zooms into the page. */
export const control = { size: { base: "md", md: "sm" }, fontSize: { base: "md", md: "sm" }, bg: "bg.panel" } as const;

interface NumberProps {
  label: string;
  value: number | null | undefined;
  onChange: (value: number | undefined) => void;
  placeholder?: string;
  error?: string;
  help?: string;
  step?: number;
  min?: number;
  aside?: ReactNode;
}

/** Empty is undefined; what cannot be read as a number is NaN. */
export function NumberField({ label, value, onChange, error, help, aside, step = 1, min = 0, ...rest }: NumberProps) {
  return (
    <FieldFrame label={label} error={error} help={help} aside={aside}>
      {(described) => (
        <Input
          {...described}
          {...control}
          {...rest}
          type="number"
          inputMode="decimal"
          step={step === 1 ? 1 : "any"}
          min={min}
          value={value === null || value === undefined || Number.isNaN(value) ? "" : value}
          onChange={({ target }) =>
            onChange(target.value === "" ? (target.validity.badInput ? Number.NaN : undefined) : Number(target.value))
          }
          onKeyDown={(event) => {
            const direction = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
            if (!direction || step === 1) return;
            event.preventDefault();
            const from = Number(event.currentTarget.value || rest.placeholder || min);
            onChange(Math.max(min, Math.round((from + direction * step) * 1000) / 1000));
          }}
        />
      )}
    </FieldFrame>
  );
}

export interface Option {
  value: string;
  label: string;
  disabled?: boolean;
}

interface SelectProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  options: Option[];
  /** The entry that leaves it to the model. */
  none?: string;
  error?: string;
  help?: string;
}

/** A value that is not among the options (a model that is not installed) is shown nevertheless. */
export function SelectField({ label, value, onChange, options, none, error, help }: SelectProps) {
  const foreign = value !== undefined && value !== "" && !options.some((one) => one.value === value);
  return (
    <FieldFrame label={label} error={error} help={help}>
      {(described) => (
        <NativeSelect.Root size={control.size}>
          <NativeSelect.Field
            {...described}
            fontSize={control.fontSize}
            bg={control.bg}
            value={value ?? ""}
            onChange={({ target }) => onChange(target.value || undefined)}
          >
            {none !== undefined && <option value="">{none}</option>}
            {foreign && <option value={value}>{value}</option>}
            {options.map((one) => (
              <option key={one.value} value={one.value} disabled={one.disabled}>
                {one.label}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
      )}
    </FieldFrame>
  );
}

interface TextProps {
  label: string;
  value: string | undefined;
  onChange: (value: string) => void;
  placeholder?: string;
  error?: string;
  rows?: number;
}

export function TextField({ label, value, onChange, placeholder, error, rows = 2 }: TextProps) {
  return (
    <FieldFrame label={label} error={error}>
      {(described) => (
        <Textarea
          {...described}
          {...control}
          autoresize
          maxH="40"
          rows={rows}
          value={value ?? ""}
          placeholder={placeholder}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </FieldFrame>
  );
}
