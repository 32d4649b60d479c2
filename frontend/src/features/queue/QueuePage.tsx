// What waits, what is being drawn, what failed; live.
import { Flex } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { useMe } from "@/api/me";
import { Page } from "@/components/Page";
import { ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { CancelWaiting, RequeueDead } from "./Batch";
import { Filters } from "./Filters";
import { JobList } from "./JobList";
import { filterOf, queueQuery } from "./jobs";
import { Notices, PauseButton, Summary } from "./Summary";
import { useQueueLive } from "./useQueueLive";

export function Component() {
  const [search] = useSearchParams();
  const filter = filterOf(search);
  const { data: queue, error, refetch } = useQuery(queueQuery);
  const { mayWrite } = useMe();
  useQueueLive();
  return (
    <Page title={t("queue.title")} actions={<PauseButton queue={queue} />}>
      <Flex direction="column" gap="4">
        {error && <ProblemNotice error={error} retry={() => void refetch()} />}
        {queue && <Notices queue={queue} />}
        <Summary queue={queue} />
        <Flex gap="3" wrap="wrap" align="end" justify="space-between">
          <Filters />
          {mayWrite && queue && queue.queued > 0 && filter.status !== "dead" && <CancelWaiting filter={filter} />}
          {mayWrite && queue && queue.dead > 0 && filter.status === "dead" && <RequeueDead />}
        </Flex>
        <JobList filter={filter} />
      </Flex>
    </Page>
  );
}
