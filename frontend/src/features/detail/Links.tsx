// Where a picture belongs, and where one can go on from it.
import { Button, Link as ChakraLink, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, Download, FlaskConical, ImageUp, RotateCcw, Shuffle } from "lucide-react";
import { Link, useNavigate } from "react-router";
import type { Generation } from "@/api/client";
import { experimentQuery } from "@/api/queries";
import { ActionMenu } from "@/components/ActionMenu";
import { useVary } from "@/features/generate/PictureActions";
import { variations } from "@/features/generate/vary";
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
        <Link to={`/experiments/${id}/grid?view=${generation.id}`}>
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
    <ActionMenu
      {...button}
      items={variations.map((kind) => ({
        label: t(`generate.variation.${kind}`),
        run: () => {
          varied(generation, kind);
          navigate("/");
        },
      }))}
    >
      <Shuffle size={14} aria-hidden />
      {t("generate.vary")}
      <ChevronDown size={14} aria-hidden />
    </ActionMenu>
  );
}

function Downloads({ url }: { url: string }) {
  return (
    <ActionMenu
      {...button}
      items={(["png", "jpeg", "webp"] as const).map((format) => ({
        label: format.toUpperCase(),
        href: `${url}?format=${format}&download=true`,
      }))}
    >
      <Download size={14} aria-hidden />
      {t("detail.download")}
      <ChevronDown size={14} aria-hidden />
    </ActionMenu>
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
