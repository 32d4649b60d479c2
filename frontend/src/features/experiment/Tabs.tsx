// The tabs of an experiment. They are links: each has an address, the browser's back button works. The run and what is
// chosen in the address goes along.
import { Box, Flex, NativeSelect } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { NavLink, useNavigate, useSearchParams } from "react-router";
import { formatTime, type MessageKey, t } from "@/i18n";
import { useHotkeys } from "@/lib/hotkeys";
import { runsQuery } from "./queries";

const tabs: { path: string; label: MessageKey; key: string }[] = [
  { path: "", label: "monitor.tabs.progress", key: "p" },
  { path: "/grid", label: "monitor.tabs.grid", key: "x" },
  { path: "/analysis", label: "monitor.tabs.analysis", key: "a" },
  { path: "/judge", label: "monitor.tabs.judge", key: "j" },
];

export function Tabs({ id }: { id: string }) {
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const run = search.get("run");
  const address = (path: string) => `/experiments/${id}${path}${run ? `?run=${run}` : ""}`;
  useHotkeys(
    tabs.map((tab) => ({
      keys: `Shift+${tab.key}`,
      label: t("monitor.tabs.open", { tab: t(tab.label) }),
      run: () => navigate(address(tab.path)),
    })),
  );
  return (
    <Flex as="nav" aria-label={t("monitor.tabs.label")} gap="1" overflowX="auto" flex="1" minW="0">
      {tabs.map((tab) => (
        <NavLink key={tab.path} to={address(tab.path)} end={tab.path === ""} style={{ flex: "0 0 auto" }}>
          {({ isActive }) => (
            <Box
              px="3"
              minH={{ base: "11", md: "9" }}
              display="flex"
              alignItems="center"
              borderBottomWidth="2px"
              borderColor={isActive ? "brand.solid" : "transparent"}
              color={isActive ? "fg" : "fg.muted"}
              fontWeight={isActive ? "semibold" : "medium"}
              _hover={{ color: "fg" }}
            >
              {t(tab.label)}
            </Box>
          )}
        </NavLink>
      ))}
    </Flex>
  );
}

export function RunSelect({ id, newest }: { id: string; newest: number }) {
  const [search, setSearch] = useSearchParams();
  const { data } = useQuery({ ...runsQuery(id), enabled: newest > 1 });
  if (newest < 2) return null;
  const shown = search.get("run") ?? String(newest);
  const choose = (number: string) =>
    setSearch((old) => {
      const next = new URLSearchParams(old);
      if (Number(number) === newest) next.delete("run");
      else next.set("run", number);
      return next;
    });
  return (
    <NativeSelect.Root size="sm" w="auto" maxW="full" flexShrink="0">
      <NativeSelect.Field
        aria-label={t("monitor.run.label")}
        value={shown}
        onChange={({ target }) => choose(target.value)}
      >
        {!data && <option value={shown}>{t("monitor.run.number", { number: shown })}</option>}
        {data?.items.map((run) => (
          <option key={run.number} value={run.number}>
            {t("monitor.run.option", {
              number: run.number,
              status: t(`common.status.${run.status}`),
              time: run.created_at ? formatTime(run.created_at) : "",
            })}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}
