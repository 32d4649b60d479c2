// What the task's receiver was told: what waits, what was taken, what nobody took.
import { Badge, Button, Text } from "@chakra-ui/react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { useMe } from "@/api/me";
import { MoreButton } from "@/components/MoreButton";
import { notify } from "@/components/notify";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { ProblemNotice } from "@/components/states";
import { formatAgo, t } from "@/i18n";
import { callbacksQuery, replay, type Task, taskQuery } from "./tasks";

type Callback = Schemas["TaskCallback"];
const palettes = { waiting: "brand", delivered: "green", dead: "red" } as const;

function useReplay(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (event?: string) => replay(id, event),
    onSuccess: ({ count }) => {
      notify.done(t("tasks.replayed", { n: count }));
      void client.invalidateQueries({ queryKey: ["task-callbacks", id] });
      void client.invalidateQueries({ queryKey: taskQuery(id).queryKey });
    },
    onError: (error) => notify.error(error),
  });
}

function CallbackRow({ callback, onReplay }: { callback: Callback; onReplay?: () => void }) {
  const kind = t(`tasks.callbackKind.${callback.kind}`);
  return (
    <Row>
      <Cell>
        {kind} {callback.kind === "batch" && callback.subject}
      </Cell>
      <Cell>
        <Badge variant="outline" colorPalette={palettes[callback.status]}>
          {t(`tasks.callbackStatus.${callback.status}`)}
        </Badge>
      </Cell>
      <Cell>
        {t("tasks.callbackTries", { n: callback.attempts })} · {formatAgo(callback.created_at)}
      </Cell>
      <Cell color="fg.muted">{callback.error ?? callback.last_status ?? ""}</Cell>
      <Cell>
        {onReplay && callback.status !== "waiting" && (
          <Button
            size="xs"
            variant="outline"
            h={{ base: "9", md: "7" }}
            aria-label={t("tasks.replayOf", { kind, subject: callback.id })}
            onClick={onReplay}
          >
            {t("tasks.replay")}
          </Button>
        )}
      </Cell>
    </Row>
  );
}

export function Callbacks({ task }: { task: Task }) {
  const { id, callbacks: counts } = task;
  const query = useInfiniteQuery(callbacksQuery(id));
  const { mayWrite } = useMe();
  const again = useReplay(id);
  const all = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (!task.document.callbacks && !all.length) return null;
  return (
    <Panel
      title={t("tasks.callbacks")}
      hint={t("tasks.callbackCounts", { ...counts })}
      actions={
        mayWrite &&
        counts.dead > 0 && (
          <Button size="sm" variant="outline" loading={again.isPending} onClick={() => again.mutate(undefined)}>
            {t("tasks.replayDead")}
          </Button>
        )
      }
    >
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {all.length > 0 ? (
        <Rows
          label={t("tasks.callbacks")}
          columns="8rem 7rem 11rem minmax(8rem, 1fr) 7rem"
          names={[
            t("tasks.facts.kind"),
            t("tasks.columns.state"),
            t("tasks.columns.tries"),
            t("tasks.columns.answer"),
            t("tasks.replay"),
          ]}
        >
          {all.map((callback) => (
            <CallbackRow
              key={callback.id}
              callback={callback}
              onReplay={mayWrite ? () => again.mutate(callback.id) : undefined}
            />
          ))}
        </Rows>
      ) : (
        <Text color="fg.muted">{t("common.none")}</Text>
      )}
      <MoreButton query={query} />
    </Panel>
  );
}
