// Width and height: the model's shapes as buttons, standing or lying, and the numbers themselves.
import { Box, Button, Flex, IconButton } from "@chakra-ui/react";
import { ArrowLeftRight } from "lucide-react";
import type { Model } from "@/api/client";
import { t } from "@/i18n";
import type { RecipeDraft } from "./draft";
import { NumberField } from "./fields";
import { nativeSize, oriented, presets, ratioName } from "./size";

interface Props {
  model: Model | undefined;
  value: RecipeDraft;
  onChange: (change: RecipeDraft) => void;
  error: (field: "width" | "height") => string | undefined;
}

export function SizeFields({ model, value, onChange, error }: Props) {
  const native = nativeSize(model);
  const width = value.width ?? native.width;
  const height = value.height ?? native.height;
  const standing = height > width;
  return (
    <Flex direction="column" gap="2">
      <Flex role="group" aria-label={t("recipe.shapes")} gap="1">
        {presets(model).map((preset) => {
          const size = oriented(preset, standing);
          const chosen = size.width === width && size.height === height;
          return (
            <Button
              key={preset.ratio}
              size="xs"
              flex="1"
              minW="0"
              px="1"
              variant={chosen ? "subtle" : "outline"}
              colorPalette={chosen ? "brand" : undefined}
              aria-pressed={chosen}
              title={`${size.width} × ${size.height}`}
              onClick={() => onChange(size)}
            >
              {ratioName(preset, standing)}
            </Button>
          );
        })}
      </Flex>
      <Flex gap="2" align="start">
        <Box flex="1" minW="0">
          <NumberField
            label={t("common.parameter.width")}
            value={value.width}
            placeholder={String(native.width)}
            step={8}
            min={64}
            error={error("width")}
            onChange={(next) => onChange({ width: next })}
          />
        </Box>
        <IconButton
          mt="6"
          size={{ base: "md", md: "sm" }}
          variant="ghost"
          aria-label={t("recipe.swap")}
          title={t("recipe.swap")}
          onClick={() => onChange({ width: height, height: width })}
        >
          <ArrowLeftRight size={16} />
        </IconButton>
        <Box flex="1" minW="0">
          <NumberField
            label={t("common.parameter.height")}
            value={value.height}
            placeholder={String(native.height)}
            step={8}
            min={64}
            error={error("height")}
            onChange={(next) => onChange({ height: next })}
          />
        </Box>
      </Flex>
    </Flex>
  );
}
