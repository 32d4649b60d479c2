// A new password, typed twice.
import { useState } from "react";
import { TextField } from "@/components/fields";
import { t } from "@/i18n";

export const shortest = 10;

export function useNewPassword() {
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [tried, setTried] = useState(false);
  const short = first.length < shortest;
  const differs = first !== second;
  return {
    first,
    second,
    setFirst,
    setSecond,
    short: tried && short,
    differs: tried && !short && differs,
    /** The password, or nothing and the reasons are shown. */
    take: (): string | undefined => {
      setTried(true);
      return short || differs ? undefined : first;
    },
    clear: () => {
      setFirst("");
      setSecond("");
      setTried(false);
    },
  };
}

export function NewPassword({ state, error }: { state: ReturnType<typeof useNewPassword>; error?: string }) {
  return (
    <>
      <TextField
        label={t("people.newPassword")}
        type="password"
        autoComplete="new-password"
        value={state.first}
        onChange={(event) => state.setFirst(event.target.value)}
        hint={t("people.passwordHint")}
        error={state.short ? t("people.tooShort") : error}
        maxLength={1024}
      />
      <TextField
        label={t("people.repeat")}
        type="password"
        autoComplete="new-password"
        value={state.second}
        onChange={(event) => state.setSecond(event.target.value)}
        error={state.differs ? t("people.differs") : undefined}
        maxLength={1024}
      />
    </>
  );
}
