// The frame around all pages: navigation (a rail on a desk, a bar at the foot of a phone), the state of the connection,
// the detail view of a picture (?view=id on any page), keys that work everywhere.
import { Box, Flex, HStack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Ellipsis, WifiOff } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { NavLink, Outlet, ScrollRestoration, useLocation, useNavigate, useSearchParams } from "react-router";
import { onLoginRequired } from "@/api/client";
import { meQuery } from "@/api/queries";
import { useLink } from "@/api/socket";
import { ActionMenu } from "@/components/ActionMenu";
import { Notifications } from "@/components/notify";
import { Loading } from "@/components/states";
import { UserMenu, useUserActions } from "@/features/login/UserMenu";
import { t } from "@/i18n";
import { type Hotkey, useHotkeys } from "@/lib/hotkeys";
import { InstallHints } from "@/pwa/InstallHints";
import { isDark, useSettings } from "@/store/settings";
import { type Section, sections } from "./pages";

const KeyHelp = lazy(() => import("./KeyHelp"));
const DetailDialog = lazy(() => import("@/features/detail/DetailDialog"));

function RailLink({ section }: { section: Section }) {
  return (
    <NavLink to={section.path} end={section.path === "/"} style={{ display: "block" }}>
      {({ isActive }) => (
        <Flex
          align="center"
          gap="3"
          px="3"
          h="9"
          rounded="md"
          color={isActive ? "brand.fg" : "fg.muted"}
          bg={isActive ? "brand.subtle" : undefined}
          fontWeight={isActive ? "semibold" : "medium"}
          _hover={{ color: "fg", bg: isActive ? "brand.subtle" : "bg.muted" }}
        >
          <section.icon size={18} />
          <Box hideBelow="lg">{t(section.label)}</Box>
          <Box hideFrom="lg" srOnly>
            {t(section.label)}
          </Box>
        </Flex>
      )}
    </NavLink>
  );
}

function Rail() {
  return (
    <Flex
      as="nav"
      aria-label={t("common.nav.label")}
      hideBelow="md"
      direction="column"
      gap="0.5"
      w={{ md: "16", lg: "52" }}
      flexShrink="0"
      p="2"
      borderEndWidth="1px"
      bg="bg.panel"
      position="sticky"
      top="0"
      h="100dvh"
    >
      <HStack gap="3" px={{ md: "2.5", lg: "3" }} h="12" mb="2">
        <img src="/icon.svg" alt="" width={26} height={26} />
        <Text hideBelow="lg" fontWeight="semibold" whiteSpace="nowrap">
          {t("common.app")}
        </Text>
      </HStack>
      {sections.map((section) => (
        <RailLink key={section.path} section={section} />
      ))}
      <UserMenu />
    </Flex>
  );
}

function TabBar() {
  const location = useLocation();
  const navigate = useNavigate();
  const actions = useUserActions();
  const rest = sections.filter((section) => !section.phone);
  const here = rest.some((section) => location.pathname.startsWith(section.path));
  const others = rest.map((section) => ({
    label: t(section.label),
    icon: <section.icon size={18} />,
    run: () => navigate(section.path),
  }));
  const tab = { direction: "column", align: "center", justify: "center", gap: "0.5", h: "14", fontSize: "xs" } as const;
  return (
    <Flex
      as="nav"
      aria-label={t("common.nav.label")}
      hideFrom="md"
      position="fixed"
      bottom="0"
      insetInline="0"
      zIndex="docked"
      bg="bg.panel"
      borderTopWidth="1px"
      pb="env(safe-area-inset-bottom)"
    >
      {sections
        .filter((section) => section.phone)
        .map((section) => (
          <Box key={section.path} flex="1" minW="0">
            <NavLink to={section.path} end={section.path === "/"}>
              {({ isActive }) => (
                <Flex {...tab} color={isActive ? "brand.fg" : "fg.muted"} fontWeight={isActive ? "semibold" : "normal"}>
                  <section.icon size={20} />
                  {t(section.label)}
                </Flex>
              )}
            </NavLink>
          </Box>
        ))}
      <Box flex="1">
        <ActionMenu
          variant="plain"
          items={[...others, ...actions]}
          {...tab}
          flexDirection="column"
          w="full"
          px="0"
          fontWeight="normal"
          color={here ? "brand.fg" : "fg.muted"}
        >
          <Ellipsis size={20} />
          {t("common.nav.more")}
        </ActionMenu>
      </Box>
    </Flex>
  );
}

function useOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const change = () => setOnline(navigator.onLine);
    addEventListener("online", change);
    addEventListener("offline", change);
    return () => {
      removeEventListener("online", change);
      removeEventListener("offline", change);
    };
  }, []);
  return online;
}

function Connection() {
  const online = useOnline();
  const link = useLink((state) => state.state);
  if (online && link !== "offline") return null;
  return (
    <Flex role="status" align="center" gap="2" px="4" py="2" bg="bg.emphasized" fontSize="xs">
      <WifiOff size={14} aria-hidden />
      {t(online ? "common.reconnecting" : "common.offline")}
    </Flex>
  );
}

/** "g", then a letter: to a section. For the help; what does it is below. */
const goKeys: Hotkey[] = sections.map((section) => ({
  keys: `g+${section.key}`,
  label: t("common.keys.go", { page: t(section.label) }),
  everywhere: true,
  run: () => {},
}));

function useGlobalKeys(showHelp: () => void): void {
  const navigate = useNavigate();
  const set = useSettings((settings) => settings.set);
  const began = useRef(0);
  useHotkeys([
    { keys: "?", label: t("common.keys.help"), everywhere: true, run: showHelp },
    {
      keys: "Shift+d",
      label: t("common.keys.theme"),
      everywhere: true,
      run: () => set({ theme: isDark(useSettings.getState().theme) ? "light" : "dark" }),
    },
  ]);
  // The second key of "g x" goes before the page's own keys, so it is not a layer of theirs.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const typing =
        event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]");
      if (typing) return;
      const second = Date.now() - began.current < 1200;
      began.current = event.key === "g" && !second ? Date.now() : 0;
      const target = second ? sections.find((section) => section.key === event.key) : undefined;
      if (target) {
        event.preventDefault();
        event.stopImmediatePropagation();
        navigate(target.path);
      }
    };
    addEventListener("keydown", onKey, { capture: true });
    return () => removeEventListener("keydown", onKey, { capture: true });
  }, [navigate]);
}

export function Layout() {
  const [help, setHelp] = useState(false);
  const [search] = useSearchParams();
  const navigate = useNavigate();
  const location = useLocation();
  useGlobalKeys(() => setHelp(true));
  useQuery(meQuery);
  useEffect(
    () => onLoginRequired(() => navigate(`/login?to=${encodeURIComponent(location.pathname + location.search)}`)),
    [navigate, location],
  );
  const view = search.get("view");
  return (
    <Flex minH="100dvh">
      <Box
        asChild
        position="absolute"
        insetInlineStart="2"
        top="-20"
        zIndex="skipNav"
        bg="brand.solid"
        color="brand.contrast"
        px="3"
        py="2"
        rounded="md"
        _focus={{ top: "2" }}
      >
        <a href="#content">{t("common.skipToContent")}</a>
      </Box>
      <Rail />
      <Flex
        as="main"
        id="content"
        tabIndex={-1}
        direction="column"
        flex="1"
        minW="0"
        outline="none"
        pb={{ base: "calc(3.5rem + env(safe-area-inset-bottom))", md: "0" }}
      >
        <Connection />
        <InstallHints />
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </Flex>
      <TabBar />
      {view && (
        <Suspense fallback={null}>
          <DetailDialog id={view} />
        </Suspense>
      )}
      {help && (
        <Suspense fallback={null}>
          <KeyHelp onClose={() => setHelp(false)} extra={goKeys} />
        </Suspense>
      )}
      <Notifications />
      <ScrollRestoration />
    </Flex>
  );
}
