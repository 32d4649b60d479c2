// What can be done with the whole experiment: form or JSON, undo, files, save, start.
import { Box, Button, Flex, IconButton } from "@chakra-ui/react";
import { Braces, Download, FileUp, Play, Redo2, Save, Undo2 } from "lucide-react";
import { useRef } from "react";
import { t } from "@/i18n";
import { useBuilder } from "./store";
import { exportForm } from "./transfer";

interface Props {
  json: boolean;
  onJson: () => void;
  onFile: (file: File | undefined) => void;
  onSave: () => void;
  onStart: () => void;
  canStart: boolean;
  canSave: boolean;
  busy?: "save" | "start";
}

function ImportButton({ onFile }: { onFile: (file: File | undefined) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Box asChild display="none">
        <input
          ref={input}
          type="file"
          accept=".json,application/json"
          aria-label={t("builder.actions.import")}
          onChange={({ target }) => {
            onFile(target.files?.[0]);
            target.value = "";
          }}
        />
      </Box>
      <IconButton
        {...icon}
        aria-label={t("builder.actions.import")}
        title={t("builder.actions.import")}
        onClick={() => input.current?.click()}
      >
        <FileUp size={17} />
      </IconButton>
    </>
  );
}
const icon = { variant: "ghost", size: "sm", boxSize: { base: "11", md: "9" } } as const;

export function Actions({ json, onJson, onFile, onSave, onStart, canStart, canSave, busy }: Props) {
  const { undo, redo } = useBuilder((state) => state);
  const canUndo = useBuilder((state) => state.past.length > 0);
  const canRedo = useBuilder((state) => state.future.length > 0);
  const form = useBuilder((state) => state.form);
  return (
    <Flex gap="1" align="center" wrap="wrap" role="toolbar" aria-label={t("builder.actions.label")}>
      <IconButton
        {...icon}
        disabled={!canUndo}
        aria-label={t("builder.actions.undo")}
        title={t("builder.actions.undo")}
        onClick={undo}
      >
        <Undo2 size={17} />
      </IconButton>
      <IconButton
        {...icon}
        disabled={!canRedo}
        aria-label={t("builder.actions.redo")}
        title={t("builder.actions.redo")}
        onClick={redo}
      >
        <Redo2 size={17} />
      </IconButton>
      <ImportButton onFile={onFile} />
      <IconButton
        {...icon}
        aria-label={t("builder.actions.export")}
        title={t("builder.actions.export")}
        onClick={() => exportForm(form)}
      >
        <Download size={17} />
      </IconButton>
      <Button
        variant={json ? "subtle" : "ghost"}
        size="sm"
        h={{ base: "11", md: "9" }}
        aria-pressed={json}
        onClick={onJson}
      >
        <Braces size={16} />
        {t("builder.actions.json")}
      </Button>
      <Button
        variant="outline"
        size="sm"
        h={{ base: "11", md: "9" }}
        disabled={!canSave}
        loading={busy === "save"}
        onClick={onSave}
      >
        <Save size={16} />
        {t("builder.actions.saveDraft")}
      </Button>
      <Button size="sm" hideBelow="lg" disabled={!canStart} loading={busy === "start"} onClick={onStart}>
        <Play size={16} />
        {t("builder.actions.start")}
      </Button>
    </Flex>
  );
}
