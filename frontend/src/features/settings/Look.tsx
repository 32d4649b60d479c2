// Colours and sizes.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useId } from "react";
import { Panel } from "@/components/Panel";
import { t } from "@/i18n";
import { type Theme, useSettings } from "@/store/settings";

const themes: readonly Theme[] = ["system", "light", "dark"];

function Themes() {
  const { theme, set } = useSettings();
  return (
    <Box as="fieldset" border="none">
      <Box as="legend" fontWeight="medium" mb="1">
        {t("settings.theme")}
      </Box>
      <Flex gap="2" wrap="wrap">
        {themes.map((one) => (
          <Flex
            key={one}
            as="label"
            align="center"
            gap="2"
            px="3"
            minH="11"
            borderWidth="1px"
            borderColor={one === theme ? "brand.solid" : "border"}
            bg={one === theme ? "brand.subtle" : undefined}
            rounded="md"
            cursor="pointer"
          >
            <input type="radio" name="theme" checked={one === theme} onChange={() => set({ theme: one })} />
            {t(`settings.themes.${one}`)}
          </Flex>
        ))}
      </Flex>
    </Box>
  );
}

interface SizeProps {
  label: string;
  value: number;
  onChange: (value: number) => void;
}

const smallest = 64;
const largest = 384;

function Size({ label, value, onChange }: SizeProps) {
  const id = useId();
  return (
    <Box>
      <Flex justify="space-between" gap="3">
        <label htmlFor={id}>{label}</label>
        <Text as="output" color="fg.muted">
          {t("settings.pixels", { n: value })}
        </Text>
      </Flex>
      <input
        id={id}
        type="range"
        min={smallest}
        max={largest}
        step={16}
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
        style={{ display: "block", width: "100%", height: "2rem", accentColor: "var(--chakra-colors-brand-solid)" }}
      />
    </Box>
  );
}

function Previews() {
  const { previews, set } = useSettings();
  const id = useId();
  return (
    <Flex gap="3" align="start">
      <input
        id={id}
        type="checkbox"
        checked={previews}
        onChange={(event) => set({ previews: event.target.checked })}
        aria-describedby={`${id}-hint`}
        style={{ width: "1.5rem", height: "1.5rem", flexShrink: 0, accentColor: "var(--chakra-colors-brand-solid)" }}
      />
      <Box>
        <label htmlFor={id}>{t("settings.previews")}</label>
        <Text id={`${id}-hint`} color="fg.muted">
          {t("settings.previewsHint")}
        </Text>
      </Box>
    </Flex>
  );
}

export function LookPanel() {
  const { cellSize, tileSize, set } = useSettings();
  return (
    <Panel title={t("settings.look")} hint={t("settings.hint")}>
      <Flex direction="column" gap="4">
        <Themes />
        <Size label={t("settings.cellSize")} value={cellSize} onChange={(size) => set({ cellSize: size })} />
        <Size label={t("settings.tileSize")} value={tileSize} onChange={(size) => set({ tileSize: size })} />
        <Previews />
      </Flex>
    </Panel>
  );
}
