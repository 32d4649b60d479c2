// Labelled inputs with their hint and what is wrong with them. Text is 16 px on phones: below, iOS zooms the page.
import { Field, Input, type InputProps, NativeSelect } from "@chakra-ui/react";
import type { ReactNode } from "react";

interface About {
  label: string;
  hint?: ReactNode;
  error?: string;
}

export function TextField({ label, hint, error, ...input }: About & InputProps) {
  return (
    <Field.Root invalid={Boolean(error)} required={input.required}>
      <Field.Label>{label}</Field.Label>
      <Input fontSize={{ base: "md", md: "sm" }} {...input} />
      {hint && <Field.HelperText>{hint}</Field.HelperText>}
      {error && <Field.ErrorText>{error}</Field.ErrorText>}
    </Field.Root>
  );
}

interface ChoiceProps<T extends string> extends About {
  value: T;
  options: readonly (readonly [value: T, label: string])[];
  onChange: (value: T) => void;
  disabled?: boolean;
  width?: string;
  /** The label is for screen readers alone. */
  quiet?: boolean;
  size?: "xs" | "sm" | "md";
}

export function Choice<T extends string>(props: ChoiceProps<T>) {
  const { label, hint, error, value, options, onChange, disabled, width, quiet, size = "md" } = props;
  return (
    <Field.Root invalid={Boolean(error)} disabled={disabled} w={width ?? "full"}>
      <Field.Label srOnly={quiet}>{label}</Field.Label>
      <NativeSelect.Root size={size} disabled={disabled}>
        <NativeSelect.Field
          value={value}
          onChange={(event) => {
            const chosen = options.find(([one]) => one === event.target.value);
            if (chosen) onChange(chosen[0]);
          }}
        >
          {options.map(([one, text]) => (
            <option key={one} value={one}>
              {text}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {hint && <Field.HelperText>{hint}</Field.HelperText>}
      {error && <Field.ErrorText>{error}</Field.ErrorText>}
    </Field.Root>
  );
}
