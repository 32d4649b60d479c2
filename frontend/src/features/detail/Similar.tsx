// Pictures of nearly the same recipe, and what is different in it.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { api, call, type Generation } from "@/api/client";
import { ProblemNotice } from "@/components/states";
import { Thumb } from "@/components/Thumb";
import { type MessageKey, t } from "@/i18n";

const side = 84;

function difference(names: string[]): string {
  if (!names.length) return t("detail.sameRecipe");
  const known = names.map((name) => (name === "init_sha256" ? "init_image" : name === "mask_sha256" ? "mask" : name));
  return known.map((name) => t(`common.parameter.${name}` as MessageKey)).join(", ");
}

export function Similar({ id, onOpen }: { id: string; onOpen: (id: string, all: string[]) => void }) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["similar", id],
    queryFn: () =>
      call(api.GET("/api/v1/generations/{id}/similar-recipes", { params: { path: { id }, query: { limit: 12 } } })),
  });
  if (error) return <ProblemNotice error={error} retry={() => void refetch()} />;
  if (isPending) return <Box h={`${side + 36}px`} />;
  if (!data.items.length) return <Text color="fg.muted">{t("detail.noSimilar")}</Text>;
  const all = [id, ...data.items.map((one) => one.generation.id)];
  return (
    <Flex gap="2" align="start" overflowX="auto" pb="1" tabIndex={-1}>
      {data.items.map(({ generation, differs }: { generation: Generation; differs: string[] }) => (
        <Box key={generation.id} asChild w={`${side}px`} flexShrink="0" textAlign="start">
          <button type="button" onClick={() => onOpen(generation.id, all)}>
            <Box boxSize={`${side}px`} rounded="md" overflow="hidden" bg="bg.muted">
              <Thumb generation={generation} size={side} alt="" />
            </Box>
            <Text fontSize="xs" lineClamp="2">
              <Box as="span" srOnly>
                {t("detail.differs")}
              </Box>
              {difference(differs)}
            </Text>
          </button>
        </Box>
      ))}
    </Flex>
  );
}
