// A panel around what one question of the server answered.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Panel } from "@/components/Panel";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";

interface Props<T> {
  title: string;
  hint?: string;
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}

/** What was known stays shown beside the error. */
export function Asked<T>({ title, hint, query, children }: Props<T>) {
  return (
    <Panel title={title} hint={hint}>
      {query.isPending && <Loading />}
      {query.error && (
        <ProblemNotice
          error={query.error}
          title={t("system.failed", { section: title })}
          retry={() => void query.refetch()}
        />
      )}
      {query.data !== undefined && children(query.data)}
    </Panel>
  );
}
