import { Flex } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { Choice } from "@/components/fields";
import { t } from "@/i18n";
import { experimentNamesQuery, filterOf, type JobFilter, priorities, statuses, withFilter } from "./jobs";

export function Filters() {
  const [search, setSearch] = useSearchParams();
  const filter = filterOf(search);
  const { data: experiments = [] } = useQuery(experimentNamesQuery);
  const set = (change: JobFilter) => setSearch(withFilter(search, change), { replace: true });
  const dead = filter.status === "dead";
  return (
    <Flex role="search" aria-label={t("queue.filters")} gap="3" wrap="wrap" align="end">
      <Choice
        label={t("queue.status")}
        width="44"
        value={filter.status ?? ""}
        options={[
          ["", t("queue.any")],
          ...statuses.map((one) => [one, t(`common.status.${one}`)] as const),
          ["dead", t("queue.deadOnly")],
        ]}
        onChange={(status) =>
          set(
            status === "dead"
              ? { status, priority: undefined, experiment: undefined }
              : { status: status || undefined },
          )
        }
      />
      {!dead && (
        <Choice
          label={t("queue.priority")}
          width="36"
          value={filter.priority ?? ""}
          options={[["", t("queue.any")], ...priorities.map((one) => [one, t(`queue.priorityOf.${one}`)] as const)]}
          onChange={(priority) => set({ priority: priority || undefined })}
        />
      )}
      {!dead && (experiments.length > 0 || filter.experiment) && (
        <Choice
          label={t("queue.experiment")}
          width="56"
          value={filter.experiment ?? ""}
          options={[["", t("queue.any")], ...experiments.map((one) => [one.id, one.name] as const)]}
          onChange={(experiment) => set({ experiment: experiment || undefined })}
        />
      )}
    </Flex>
  );
}
