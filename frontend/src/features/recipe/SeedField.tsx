// The seed: empty is another one for each picture; dice throw one; the lock keeps what the last picture had.
import { Flex, IconButton, Input } from "@chakra-ui/react";
import { Dices, Lock, LockOpen } from "lucide-react";
import { t } from "@/i18n";
import { parseSeed, randomSeed } from "./draft";
import { FieldFrame } from "./fields";

interface Props {
  value: number | string | undefined;
  onChange: (seed: number | string | undefined) => void;
  /** Of the picture that is shown: what the lock takes. */
  last?: number | string;
  error?: string;
}

export function SeedField({ value, onChange, last, error }: Props) {
  const locked = value !== undefined && value !== null && value !== "";
  const button = { size: { base: "md", md: "sm" }, variant: "outline" } as const;
  return (
    <FieldFrame label={t("common.parameter.seed")} error={error}>
      {(described) => (
        <Flex gap="1">
          <Input
            {...described}
            size={{ base: "md", md: "sm" }}
            fontSize={{ base: "md", md: "sm" }}
            bg="bg.panel"
            inputMode="numeric"
            autoComplete="off"
            maxLength={20}
            value={locked ? String(value) : ""}
            placeholder={t("recipe.seedRandom")}
            onChange={({ target }) => onChange(parseSeed(target.value))}
          />
          <IconButton
            {...button}
            aria-label={t("recipe.dice")}
            title={t("recipe.dice")}
            onClick={() => onChange(randomSeed())}
          >
            <Dices size={16} />
          </IconButton>
          <IconButton
            {...button}
            aria-label={t("recipe.lock")}
            title={t("recipe.lock")}
            aria-pressed={locked}
            onClick={() => onChange(locked ? undefined : (last ?? randomSeed()))}
          >
            {locked ? <Lock size={16} /> : <LockOpen size={16} />}
          </IconButton>
        </Flex>
      )}
    </FieldFrame>
  );
}
