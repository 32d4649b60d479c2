// Who is logged in, and the way out. Nothing on a server without users.
import { Box, Flex, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { LogOut, User } from "lucide-react";
import { useNavigate } from "react-router";
import { useMe } from "@/api/me";
import { type Action, ActionMenu } from "@/components/ActionMenu";
import { notify } from "@/components/notify";
import { t } from "@/i18n";
import { logout } from "./identity";

/** What one can do with one's own account; nothing on a server without users. */
export function useUserActions(): Action[] {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { me, hasUsers } = useMe();
  if (!me || !hasUsers) return [];
  return [
    {
      label: t("login.account", { name: me.name }),
      icon: <User size={18} aria-hidden />,
      run: () => navigate("/people"),
      apart: true,
    },
    {
      label: t("login.logout"),
      icon: <LogOut size={18} aria-hidden />,
      run: () => void logout(client).then(() => navigate("/login"), notify.error),
    },
  ];
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

/** At the foot of the rail. */
export function UserMenu() {
  const { me, hasUsers } = useMe();
  const actions = useUserActions();
  if (!me || !hasUsers) return null;
  return (
    <ActionMenu
      label={t("login.menu", { name: me.name })}
      items={actions}
      variant="ghost"
      mt="auto"
      justifyContent="start"
      gap="3"
      px={{ md: "2", lg: "2.5" }}
      h="11"
    >
      <Flex boxSize="7" flexShrink="0" align="center" justify="center" rounded="full" bg="brand.muted" color="brand.fg">
        {me.name.slice(0, 1).toUpperCase()}
      </Flex>
      <Box hideBelow="lg" minW="0">
        <Who name={me.name} role={me.role} />
      </Box>
    </ActionMenu>
  );
}
