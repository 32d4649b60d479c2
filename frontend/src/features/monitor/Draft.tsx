// What a start would do: the plan of an experiment that nobody has started yet.

import { Button, Stack, Text } from "@chakra-ui/react";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { FlaskConical, Play } from "lucide-react";
import { Link } from "react-router";
import { api, call } from "@/api/client";
import { useMe } from "@/api/me";
import { Empty, ProblemNotice } from "@/components/states";
import { useAct } from "@/features/experiment/useActions";
import { formatBytes, formatSeconds, t } from "@/i18n";

const planQuery = (id: string) =>
  queryOptions({
    queryKey: ["plan-of", id],
    queryFn: () => call(api.POST("/api/v1/experiments/{id}/plan", { params: { path: { id } } })),
  });

export function Draft({ id }: { id: string }) {
  const { data: plan, error, refetch } = useQuery(planQuery(id));
  const act = useAct(id);
  const { mayWrite: write } = useMe();
  const lines = plan && [
    t("monitor.draft.cells", { n: plan.cells }),
    t("monitor.draft.draw", { n: plan.to_draw, existing: plan.existing }),
    plan.impossible > 0 && t("monitor.draft.impossible", { n: plan.impossible }),
    plan.estimated_seconds !== null && t("monitor.draft.time", { time: formatSeconds(plan.estimated_seconds) }),
    plan.estimated_bytes !== null && t("monitor.draft.disk", { bytes: formatBytes(plan.estimated_bytes) }),
  ];
  return (
    <Empty
      icon={<FlaskConical size={40} />}
      title={t("monitor.draft.title")}
      action={
        write && (
          <Stack direction={{ base: "column", sm: "row" }}>
            <Button minH="11" loading={act.isPending} onClick={() => act.mutate("start")}>
              <Play size={16} />
              {t("monitor.actions.start")}
            </Button>
            <Button minH="11" variant="outline" asChild>
              <Link to={`/experiments/${id}/edit`}>{t("common.edit")}</Link>
            </Button>
          </Stack>
        )
      }
    >
      {error ? (
        <ProblemNotice error={error} retry={() => void refetch()} />
      ) : (
        <Text as="span">{lines ? lines.filter(Boolean).join(" ") : t("monitor.draft.help")}</Text>
      )}
    </Empty>
  );
}
