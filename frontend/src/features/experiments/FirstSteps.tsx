// What stands here before the first experiment: what one is, and three that are drawn with one click.
import { Box, Button, Flex, Heading, SimpleGrid, Text } from "@chakra-ui/react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { ChartSpline, FlaskConical, type LucideIcon, Rows3, SlidersHorizontal } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { api, call } from "@/api/client";
import { modelsQuery } from "@/api/queries";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { type ExampleName, exampleNames, exampleSpec } from "./examples";

const icons: Record<ExampleName, LucideIcon> = { steps: ChartSpline, cfg: SlidersHorizontal, samplers: Rows3 };

/** The demo model where it is installed: it draws in milliseconds. */
function useModel() {
  const { data } = useQuery(modelsQuery);
  const usable = data?.items.filter((one) => !one.problem);
  return { none: usable?.length === 0, model: (usable?.find((one) => one.name === "demo") ?? usable?.[0])?.name };
}

function Example({ name, model }: { name: ExampleName; model?: string }) {
  const navigate = useNavigate();
  const draw = useMutation({
    mutationFn: (chosen: string) =>
      call(
        api.POST("/api/v1/experiments", {
          body: { spec: exampleSpec(name, chosen), start: true, priority: "batch" },
        }),
      ),
    onSuccess: ({ id }) => navigate(`/experiments/${id}`),
  });
  const Icon = icons[name];
  return (
    <Flex as="li" direction="column" gap="2" p="4" bg="bg.panel" borderWidth="1px" rounded="lg" listStyleType="none">
      <Box color="brand.fg" aria-hidden>
        <Icon size={24} />
      </Box>
      <Heading as="h3" size="sm">
        {t(`experiments.example.${name}`)}
      </Heading>
      <Text fontSize="sm" color="fg.muted" flex="1">
        {t(`experiments.example.${name}Help`)}
      </Text>
      {draw.error && <ProblemNotice error={draw.error} />}
      <Flex gap="2" wrap="wrap">
        <Button
          size="sm"
          h={{ base: "11", md: "9" }}
          disabled={!model}
          loading={draw.isPending}
          onClick={() => model && draw.mutate(model)}
        >
          {t("experiments.empty.draw")}
        </Button>
        <Button asChild size="sm" h={{ base: "11", md: "9" }} variant="ghost">
          <Link to={`/experiments/new?example=${name}`}>{t("experiments.empty.look")}</Link>
        </Button>
      </Flex>
    </Flex>
  );
}

export function FirstSteps() {
  const { none, model } = useModel();
  return (
    <Flex direction="column" align="center" gap="4" py={{ base: "4", md: "10" }}>
      <Box color="fg.subtle" aria-hidden>
        <FlaskConical size={40} />
      </Box>
      <Heading as="h2" size="md" textAlign="center">
        {t("experiments.empty.title")}
      </Heading>
      <Text color="fg.muted" textAlign="center" maxW="xl">
        {t("experiments.empty.text")}
      </Text>
      {none && (
        <Text role="status">
          {t("experiments.empty.noModel")}{" "}
          <Box asChild color="brand.fg" textDecoration="underline">
            <Link to="/models">{t("experiments.empty.getModel")}</Link>
          </Box>
        </Text>
      )}
      <SimpleGrid as="ul" columns={{ base: 1, md: 3 }} gap="4" w="full">
        {exampleNames.map((name) => (
          <Example key={name} name={name} model={model} />
        ))}
      </SimpleGrid>
      <Button asChild variant="outline">
        <Link to="/experiments/new">{t("experiments.empty.make")}</Link>
      </Button>
    </Flex>
  );
}
