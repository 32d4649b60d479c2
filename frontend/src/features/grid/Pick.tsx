// A choice in one line: what it is about, then what is chosen.
import { Flex, NativeSelect } from "@chakra-ui/react";
import { type ReactNode, useId } from "react";

export interface Option {
  value: string;
  label: string;
}
export interface OptionGroup {
  label: string;
  options: Option[];
}

interface Props {
  label: string;
  value: string;
  options: readonly Option[];
  groups?: readonly OptionGroup[];
  onChange: (value: string) => void;
  /** In a sheet: a line of its own, large enough for a finger. */
  tall?: boolean;
  /** Beside the choice: what belongs to it. */
  children?: ReactNode;
}

const list = (options: readonly Option[]) =>
  options.map((one) => (
    <option key={one.value} value={one.value}>
      {one.label}
    </option>
  ));

export function Pick({ label, value, options, groups = [], onChange, tall = false, children }: Props) {
  const id = useId();
  return (
    <Flex align="center" gap="1.5" minW="0" w={tall ? "full" : undefined} minH={tall ? "11" : undefined}>
      <label htmlFor={id} style={{ flex: tall ? "0 0 6rem" : undefined, whiteSpace: "nowrap", fontSize: "0.75rem" }}>
        {label}
      </label>
      <NativeSelect.Root size={tall ? "md" : "xs"} w={tall ? undefined : "auto"} flex={tall ? "1" : undefined} minW="0">
        <NativeSelect.Field
          id={id}
          maxW={tall ? undefined : "32"}
          textOverflow="ellipsis"
          value={value}
          onChange={({ target }) => onChange(target.value)}
        >
          {list(options)}
          {groups
            .filter((group) => group.options.length)
            .map((group) => (
              <optgroup key={group.label} label={group.label}>
                {list(group.options)}
              </optgroup>
            ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {children}
    </Flex>
  );
}
