// A server that everybody who reaches it owns, and how that is changed.
import { Code, Flex, Text } from "@chakra-ui/react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { CopyButton } from "@/components/CopyButton";
import { Panel } from "@/components/Panel";
import { t } from "@/i18n";
import { Events } from "./Events";
import { UserForm } from "./UserForm";

const command = "cauldron user add NAME --role admin";

export function NoUsers() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <Flex direction="column" gap="4">
      <Panel title={t("people.noUsers")} hint={t("people.noUsersHelp")}>
        <Text mb="1">{t("people.noUsersCommand")}</Text>
        <Flex gap="2" align="center" wrap="wrap">
          <Code px="3" py="2">
            {command}
          </Code>
          <CopyButton text={command} />
        </Flex>
      </Panel>
      <Panel title={t("people.firstAdmin")}>
        <UserForm
          first
          onAdded={() => {
            client.clear();
            navigate("/login?to=/people");
          }}
        />
      </Panel>
      <Events />
    </Flex>
  );
}
