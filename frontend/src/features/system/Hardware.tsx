import { Badge, Box, Flex, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { Facts } from "@/components/Facts";
import { formatBytes, t } from "@/i18n";
import { Asked } from "./Asked";
import { hardwareQuery, usedShare } from "./health";

type Hardware = Schemas["Hardware"];
type Device = Hardware["devices"][number];

function Memory({ label, total, free }: { label: string; total?: number | null; free?: number | null }) {
  const used = usedShare(total, free);
  if (used === undefined || total == null || free == null) return null;
  const text = t("system.freeOf", { free: formatBytes(free), total: formatBytes(total) });
  return (
    <Box>
      <Text fontSize="xs" color="fg.muted">
        {text}
      </Text>
      <Box
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(used * 100)}
        aria-valuetext={text}
        h="1.5"
        mt="1"
        rounded="full"
        overflow="hidden"
        bg="bg.emphasized"
      >
        <Box h="full" bg={used > 0.95 ? "red.solid" : "brand.solid"} style={{ width: `${used * 100}%` }} />
      </Box>
    </Box>
  );
}

function DeviceItem({ device }: { device: Device }) {
  const parts = [
    device.slots !== undefined && t("system.slots", { n: device.slots }),
    device.threads !== undefined && t("system.threads", { n: device.threads }),
    device.models
      ? t("system.deviceModels", { n: device.models, bytes: formatBytes(device.models_bytes ?? 0) })
      : t("system.noModels"),
  ];
  return (
    <Box as="li" py="2" borderTopWidth="1px">
      <Flex gap="2" align="baseline" wrap="wrap">
        <Text fontWeight="medium">{device.name}</Text>
        {device.description && <Text color="fg.muted">{device.description}</Text>}
      </Flex>
      <Text fontSize="xs" color="fg.muted" mb="1">
        {parts.filter(Boolean).join(" · ")}
      </Text>
      <Memory label={`${t("system.memory")}: ${device.name}`} total={device.memory_total} free={device.memory_free} />
    </Box>
  );
}

function Details({ hardware }: { hardware: Hardware }) {
  const { cpu, memory, devices } = hardware;
  return (
    <Flex direction="column" gap="4">
      <Facts
        items={[
          [t("system.os"), hardware.os],
          [t("system.machine"), hardware.machine],
          [t("system.cpu"), cpu.model],
          [t("system.cores"), cpu.cores],
          [t("system.isa"), cpu.isa],
          [
            t("system.features"),
            cpu.features?.length ? (
              <Flex key="features" gap="1" wrap="wrap">
                {cpu.features.map((one) => (
                  <Badge key={one} variant="outline">
                    {one}
                  </Badge>
                ))}
              </Flex>
            ) : undefined,
          ],
          [
            t("system.memory"),
            <Memory key="memory" label={t("system.memory")} total={memory.total} free={memory.available} />,
          ],
        ]}
      />
      <Box>
        <Text fontWeight="medium" mb="1">
          {t("system.devices")}
        </Text>
        <Box as="ul" listStyleType="none">
          {devices.map((device) => (
            <DeviceItem key={device.name} device={device} />
          ))}
        </Box>
      </Box>
    </Flex>
  );
}

export function HardwarePanel() {
  const query = useQuery(hardwareQuery);
  return (
    <Asked title={t("system.hardware")} query={query}>
      {(hardware) => <Details hardware={hardware} />}
    </Asked>
  );
}
