// Where a picture belongs, and where one can go on from it.
import { Button, Link as ChakraLink, Flex, Menu, Portal, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, Download, FlaskConical, ImageUp, RotateCcw, Shuffle } from "lucide-react";
import { Link, useNavigate } from "react-router";
import type { Generation } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { useVary } from "@/features/generate/PictureActions";
import { type Variation, variations } from "@/features/generate/vary";
import { t } from "@/i18n";

const button = { size: { base: "sm", md: "xs" }, variant: "outline" } as const;

export function ExperimentLinks({ generation }: { generation: Generation }) {
  const id = generation.experiment_id ?? "";
  const { data } = useQuery({ ...experimentQuery(id), enabled: id !== "", retry: false });
  if (!id) return null;
  const axes = Object.entries(generation.axes ?? {}).map(([axis, value]) => `${axis} ${String(value)}`);
  return (
    <Text>
      {t("detail.cellOf")}{" "}
      <ChakraLink asChild colorPalette="brand" textDecoration="underline">
        <Link to={`/experiments/${id}`}>{data?.name ?? t("detail.experiment")}</Link>
      </ChakraLink>
      {", "}
      <ChakraLink asChild colorPalette="brand" textDecoration="underline">
        <Link to={`/experiments/${id}/grid?focus=${generation.id}`}>
          {axes.length ? axes.join(", ") : t("detail.cell")}
        </Link>
      </ChakraLink>
    </Text>
  );
}

function Vary({ generation }: { generation: Generation }) {
  const varied = useVary();
  const navigate = useNavigate();
  return (
    <Menu.Root
      lazyMount
      unmountOnExit
      onSelect={({ value }) => {
        varied(generation, value as Variation);
        navigate("/");
      }}
    >
      <Menu.Trigger asChild>
        <Button {...button}>
          <Shuffle size={14} aria-hidden />
          {t("generate.vary")}
          <ChevronDown size={14} aria-hidden />
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            {variations.map((kind) => (
              <Menu.Item key={kind} value={kind} minH={{ base: "11", md: "8" }}>
                {t(`generate.variation.${kind}`)}
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}

function Downloads({ url }: { url: string }) {
  return (
    <Menu.Root lazyMount unmountOnExit>
      <Menu.Trigger asChild>
        <Button {...button}>
          <Download size={14} aria-hidden />
          {t("detail.download")}
          <ChevronDown size={14} aria-hidden />
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            {(["png", "jpeg", "webp"] as const).map((format) => (
              <Menu.Item key={format} value={format} asChild minH={{ base: "11", md: "8" }}>
                <a href={`${url}?format=${format}&download=true`} download>
                  {format.toUpperCase()}
                </a>
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}

export function GoOn({ generation, mayWrite }: { generation: Generation; mayWrite: boolean }) {
  return (
    <Flex wrap="wrap" gap="2">
      {mayWrite && (
        <>
          <Button {...button} asChild>
            <Link to={`/?from=${generation.id}`}>
              <RotateCcw size={14} aria-hidden />
              {t("generate.reuse")}
            </Link>
          </Button>
          <Vary generation={generation} />
          {generation.image && (
            <Button {...button} asChild>
              <Link to={`/?start=${generation.id}`}>
                <ImageUp size={14} aria-hidden />
                {t("generate.useAsStart")}
              </Link>
            </Button>
          )}
          <Button {...button} asChild>
            <Link to={`/experiments/new?from=${generation.id}`}>
              <FlaskConical size={14} aria-hidden />
              {t("detail.newExperiment")}
            </Link>
          </Button>
        </>
      )}
      {generation.image && <Downloads url={generation.image.url} />}
    </Flex>
  );
}
