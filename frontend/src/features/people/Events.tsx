// The record of who did what; for admins.
import { Flex, Text } from "@chakra-ui/react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";
import { Choice } from "@/components/fields";
import { MoreButton } from "@/components/MoreButton";
import { Panel } from "@/components/Panel";
import { Cell, Row, Rows } from "@/components/Rows";
import { Loading, ProblemNotice } from "@/components/states";
import { formatTime, t } from "@/i18n";
import { type AuditEvent, eventsQuery, kindName, knownKinds, usersQuery } from "./people";

type Names = Map<string, string>;

function whoOf(event: AuditEvent, names: Names): string {
  if (event.user_id) return names.get(event.user_id) ?? t("people.removedUser");
  return t(event.kind === "login_failed" ? "people.nobody" : "people.localAdmin");
}

function EventRow({ event, names }: { event: AuditEvent; names: Names }) {
  const who = whoOf(event, names);
  const subject = event.subject ? (names.get(event.subject) ?? event.subject) : "";
  return (
    <Row>
      <Cell color="fg.muted">{formatTime(event.created_at)}</Cell>
      <Cell fontWeight="medium">{kindName(event.kind)}</Cell>
      <Cell label={t("people.who")}>{who}</Cell>
      <Cell label={subject ? t("people.subject") : undefined} fontSize="xs">
        {subject}
      </Cell>
      <Cell label={event.address ? t("people.address") : undefined} color="fg.muted">
        {event.address}
      </Cell>
    </Row>
  );
}

export function Events() {
  const [search, setSearch] = useSearchParams();
  const kind = search.get("kind") ?? "";
  const query = useInfiniteQuery(eventsQuery(kind));
  const { data: users } = useInfiniteQuery(usersQuery);
  const names: Names = new Map(users?.pages.flatMap((page) => page.items).map((user) => [user.id, user.name]));
  const events = query.data?.pages.flatMap((page) => page.items) ?? [];
  const choose = (next: string) => {
    const changed = new URLSearchParams(search);
    if (next) changed.set("kind", next);
    else changed.delete("kind");
    setSearch(changed, { replace: true });
  };
  const kinds = kind && !knownKinds.some((one) => one === kind) ? [...knownKinds, kind] : knownKinds;
  return (
    <Panel title={t("people.events")} hint={t("people.eventsHint")}>
      <Flex mb="3">
        <Choice
          label={t("people.kindFilter")}
          width="60"
          value={kind}
          options={[["", t("people.anyKind")], ...kinds.map((one) => [one, kindName(one)] as const)]}
          onChange={choose}
        />
      </Flex>
      {query.isPending && <Loading />}
      {query.error && <ProblemNotice error={query.error} retry={() => void query.refetch()} />}
      {query.data && !events.length && <Text color="fg.muted">{t("people.noEvents")}</Text>}
      {events.length > 0 && (
        <Rows
          label={t("people.events")}
          columns="11rem minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1.6fr) 8rem"
          names={[t("people.time"), t("people.what"), t("people.who"), t("people.subject"), t("people.address")]}
        >
          {events.map((event) => (
            <EventRow key={event.id} event={event} names={names} />
          ))}
        </Rows>
      )}
      <MoreButton query={query} />
    </Panel>
  );
}
