// Who is logged in, and the way out. Nothing on a server without users.
import { Box, Flex, Menu, Portal, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { LogOut, User } from "lucide-react";
import { useNavigate } from "react-router";
import { useMe } from "@/api/me";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { logout } from "./identity";

/** Values of the menu's items that are no addresses. */
export const LOGOUT = "logout";

export function useUserActions(): (value: string) => void {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (value) => {
    if (value !== LOGOUT) navigate(value);
    else logout(client).then(() => navigate("/login"), notify.error);
  };
}

function Who({ name, role }: { name: string; role: "viewer" | "editor" | "admin" }) {
  return (
    <Box minW="0" textAlign="start">
      <Text fontWeight="medium" truncate>
        {name}
      </Text>
      <Text fontSize="xs" color="fg.muted">
        {t(`login.role.${role}`)}
      </Text>
    </Box>
  );
}

/** In a menu: the name, the account, the way out. */
export function UserItems() {
  const { me, hasUsers } = useMe();
  if (!me || !hasUsers) return null;
  return (
    <Menu.ItemGroup>
      <Menu.ItemGroupLabel>
        <Who name={me.name} role={me.role} />
      </Menu.ItemGroupLabel>
      <Menu.Item value="/people" h={{ base: "11", md: "9" }}>
        <User size={18} aria-hidden />
        {t("login.account")}
      </Menu.Item>
      <Menu.Item value={LOGOUT} h={{ base: "11", md: "9" }}>
        <LogOut size={18} aria-hidden />
        {t("login.logout")}
      </Menu.Item>
    </Menu.ItemGroup>
  );
}

/** At the foot of the rail. */
export function UserMenu() {
  const { me, hasUsers } = useMe();
  const act = useUserActions();
  if (!me || !hasUsers) return null;
  return (
    <Menu.Root positioning={{ placement: "right-end" }} onSelect={({ value }) => act(value)}>
      <Menu.Trigger asChild>
        <Flex
          as="button"
          mt="auto"
          align="center"
          gap="3"
          px={{ md: "2", lg: "2.5" }}
          minH="11"
          rounded="md"
          cursor="pointer"
          _hover={{ bg: "bg.muted" }}
          aria-label={t("login.menu", { name: me.name })}
        >
          <Flex
            boxSize="7"
            flexShrink="0"
            align="center"
            justify="center"
            rounded="full"
            bg="brand.muted"
            color="brand.fg"
          >
            {me.name.slice(0, 1).toUpperCase()}
          </Flex>
          <Box hideBelow="lg" minW="0">
            <Who name={me.name} role={me.role} />
          </Box>
        </Flex>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="44">
            <UserItems />
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}
