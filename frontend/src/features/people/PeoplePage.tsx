// Accounts, keys, users and the record, each behind its own address (?tab=).
import { Box, Flex } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import type { Schemas } from "@/api/client";
import { meQuery } from "@/api/queries";
import { Page } from "@/components/Page";
import { Loading, ProblemNotice } from "@/components/states";
import { t } from "@/i18n";
import { Account } from "./Account";
import { Events } from "./Events";
import { Keys } from "./Keys";
import { NoUsers } from "./NoUsers";
import { Users } from "./Users";

const tabs = ["account", "keys", "users", "events"] as const;
type Tab = (typeof tabs)[number];
const forAdmins: readonly Tab[] = ["users", "events"];

function Tabs({ shown, current }: { shown: readonly Tab[]; current: Tab }) {
  return (
    <Flex as="nav" aria-label={t("people.tabs")} gap="1" mb="4" borderBottomWidth="1px" overflowX="auto">
      {shown.map((tab) => (
        <Link key={tab} to={`?tab=${tab}`} replace aria-current={tab === current ? "page" : undefined}>
          <Box
            px="3"
            minH="11"
            display="flex"
            alignItems="center"
            whiteSpace="nowrap"
            borderBottomWidth="2px"
            borderColor={tab === current ? "brand.solid" : "transparent"}
            color={tab === current ? "brand.fg" : "fg.muted"}
            fontWeight={tab === current ? "semibold" : "medium"}
            _hover={{ color: "fg" }}
          >
            {t(`people.tab.${tab}`)}
          </Box>
        </Link>
      ))}
    </Flex>
  );
}

function Parts({ me }: { me: Schemas["Me"] }) {
  const [search] = useSearchParams();
  const shown = tabs.filter((tab) => me.role === "admin" || !forAdmins.includes(tab));
  const current = shown.find((tab) => tab === search.get("tab")) ?? "account";
  return (
    <>
      <Tabs shown={shown} current={current} />
      {current === "account" && <Account me={me} />}
      {current === "keys" && <Keys role={me.role} />}
      {current === "users" && <Users me={me} />}
      {current === "events" && <Events />}
    </>
  );
}

export function Component() {
  const { data: me, isPending, error, refetch } = useQuery(meQuery);
  return (
    <Page title={t("people.title")}>
      {isPending && <Loading />}
      {error && <ProblemNotice error={error} retry={() => void refetch()} />}
      {me && (me.id == null ? <NoUsers /> : <Parts me={me} />)}
    </Page>
  );
}
