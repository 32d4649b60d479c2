// What the experiment asks: the type decides which axis must be there.
import { Box, SimpleGrid, Text } from "@chakra-ui/react";
import { t } from "@/i18n";
import { setType } from "../spec/edits";
import { useBuilder, useChange } from "../store";
import { Section } from "./Section";

export const types = ["convergence", "cfg", "parameter_sweep"] as const;

export function TypeSection() {
  const type = useBuilder((state) => state.form.type);
  const change = useChange();
  return (
    <Section title={t("builder.type.title")}>
      <SimpleGrid as="fieldset" columns={{ base: 1, sm: 3 }} gap="2" aria-label={t("builder.type.title")}>
        {types.map((one) => (
          <Box
            key={one}
            asChild
            p="3"
            borderWidth="1px"
            rounded="md"
            cursor="pointer"
            borderColor={type === one ? "brand.solid" : "border"}
            bg={type === one ? "brand.subtle" : undefined}
            _hover={{ borderColor: "brand.solid" }}
            _focusWithin={{ outline: "2px solid", outlineColor: "brand.focusRing", outlineOffset: "2px" }}
          >
            <label>
              <Box asChild srOnly>
                <input
                  type="radio"
                  name="experiment-type"
                  checked={type === one}
                  onChange={() => change((form) => setType(form, one))}
                />
              </Box>
              <Text fontWeight="semibold">{t(`builder.type.${one}`)}</Text>
              <Text fontSize="xs" color="fg.muted">
                {t(`builder.type.${one}Help`)}
              </Text>
            </label>
          </Box>
        ))}
      </SimpleGrid>
    </Section>
  );
}
