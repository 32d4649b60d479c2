// One model: what it is at a glance, and the ways to use it.
import { Badge, Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import { FlaskConical, WandSparkles } from "lucide-react";
import { Link } from "react-router";
import type { Model } from "@/api/client";
import { Facts } from "@/components/Facts";
import { formatBytes, t } from "@/i18n";

export const nativeSize = ({ width, height }: Model): string | undefined =>
  width && height ? t("models.native", { width: String(width), height: String(height) }) : undefined;

export function UseLinks({ model, size = "xs" }: { model: Model; size?: "xs" | "sm" }) {
  if (model.problem) return null;
  const query = new URLSearchParams({ model: model.name });
  const height = { base: "10", md: size === "xs" ? "8" : "9" };
  return (
    <>
      <Button asChild size={size} h={height}>
        <Link to={`/?${query}`} aria-label={t("models.drawWith", { name: model.name })}>
          <WandSparkles size={14} aria-hidden />
          {t("models.draw")}
        </Link>
      </Button>
      <Button asChild size={size} h={height} variant="outline">
        <Link to={`/experiments/new?${query}`} aria-label={t("models.experimentWith", { name: model.name })}>
          <FlaskConical size={14} aria-hidden />
          {t("models.experiment")}
        </Link>
      </Button>
    </>
  );
}

export function Badges({ model }: { model: Model }) {
  return (
    <Flex gap="1.5" wrap="wrap">
      {model.architecture && <Badge variant="outline">{model.architecture}</Badge>}
      {model.inpainting && <Badge variant="outline">{t("models.inpainting")}</Badge>}
      {model.loaded && (
        <Badge variant="outline" colorPalette="green">
          {t("models.loaded")}
        </Badge>
      )}
    </Flex>
  );
}

export function ModelCard({ model, onOpen }: { model: Model; onOpen: () => void }) {
  return (
    <Flex as="li" direction="column" gap="3" p="4" borderWidth="1px" rounded="lg" bg="bg.panel" minW="0">
      <Heading as="h2" size="sm" overflowWrap="anywhere">
        {model.name}
      </Heading>
      <Badges model={model} />
      {model.problem ? (
        <Text color="fg.error" overflowWrap="anywhere">
          <strong>{t("models.problem")}:</strong> {model.problem}
        </Text>
      ) : (
        <Box fontSize="sm">
          <Facts
            items={[
              [t("models.nativeSize"), nativeSize(model)],
              [t("models.size"), model.bytes == null ? undefined : formatBytes(model.bytes)],
            ]}
          />
        </Box>
      )}
      <Flex gap="2" wrap="wrap" mt="auto">
        <UseLinks model={model} />
        <Button
          size="xs"
          h={{ base: "10", md: "8" }}
          variant="ghost"
          aria-label={t("models.detailsOf", { name: model.name })}
          onClick={onOpen}
        >
          {t("models.details")}
        </Button>
      </Flex>
    </Flex>
  );
}
