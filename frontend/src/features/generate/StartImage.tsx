// Image to image: the picture to start from, how far to go from it, and a mask of what may change.
import { Box, Button, CloseButton, Flex, Text } from "@chakra-ui/react";
import { lazy, Suspense, useState } from "react";
import { ProblemNotice } from "@/components/states";
import type { RecipeDraft } from "@/features/recipe/draft";
import { NumberField } from "@/features/recipe/fields";
import { t } from "@/i18n";
import { pictureTypes, readPicture } from "./files";
import { type Source, sourceUrl, useStudio } from "./store";

const MaskPainter = lazy(() => import("./MaskPainter"));

interface PickProps {
  label: string;
  onPick: (source: Source) => void;
}

export function PickFile({ label, onFile }: { label: string; onFile: (file: File) => void }) {
  return (
    <Button
      asChild
      size={{ base: "sm", md: "xs" }}
      variant="outline"
      _focusWithin={{ outline: "2px solid", outlineColor: "brand.focusRing" }}
    >
      <label>
        {label}
        <input
          type="file"
          accept={pictureTypes.join(",")}
          style={{ position: "absolute", width: 1, height: 1, opacity: 0 }}
          onChange={({ target }) => {
            const file = target.files?.[0];
            target.value = "";
            if (file) onFile(file);
          }}
        />
      </label>
    </Button>
  );
}

function Pick({ label, onPick }: PickProps) {
  const [error, setError] = useState<unknown>();
  return (
    <Box>
      <PickFile
        label={label}
        onFile={(file) => {
          setError(undefined);
          readPicture(file).then(onPick, setError);
        }}
      />
      {error !== undefined && <ProblemNotice error={error} />}
    </Box>
  );
}

function Chosen({ source, label, onRemove }: { source: Source; label: string; onRemove: () => void }) {
  return (
    <Flex gap="2" align="center" borderWidth="1px" rounded="md" p="1.5" bg="bg.panel" minW="0">
      <Box boxSize="14" flexShrink="0" rounded="sm" overflow="hidden" bg="bg.muted">
        <img
          src={sourceUrl(source)}
          alt={label}
          width={56}
          height={56}
          style={{ width: "100%", height: "100%", objectFit: "cover" }}
        />
      </Box>
      <Box flex="1" minW="0">
        <Text fontSize="xs" fontWeight="medium">
          {label}
        </Text>
        <Text fontSize="xs" color="fg.muted" truncate>
          {source.kind === "file" ? source.name : t("generate.fromGallery")}
        </Text>
      </Box>
      <CloseButton size="xs" aria-label={t("generate.remove", { what: label })} onClick={onRemove} />
    </Flex>
  );
}

interface Props {
  draft: RecipeDraft;
  onChange: (draft: RecipeDraft) => void;
  error: (pointer: string) => string | undefined;
}

export function StartImage({ draft, onChange, error }: Props) {
  const { start, mask, set } = useStudio();
  const [painting, setPainting] = useState(false);
  const problem = error("/init_image") ?? error("/mask");
  return (
    <Flex direction="column" gap="2" as="section" aria-label={t("generate.imageToImage")}>
      <Text fontSize="xs" fontWeight="medium" color="fg.muted">
        {t("generate.imageToImage")}
      </Text>
      {!start && <Pick label={t("generate.chooseStart")} onPick={(source) => set({ start: source })} />}
      {start && (
        <>
          <Chosen
            source={start}
            label={t("common.parameter.init_image")}
            onRemove={() => set({ start: undefined, mask: undefined })}
          />
          <NumberField
            label={t("common.parameter.strength")}
            value={draft.strength}
            placeholder="0.8"
            step={0.05}
            help={t("generate.strengthHelp")}
            error={error("/strength")}
            onChange={(strength) => onChange({ ...draft, strength })}
          />
          {mask ? (
            <Chosen source={mask} label={t("common.parameter.mask")} onRemove={() => set({ mask: undefined })} />
          ) : (
            <Flex align="center" gap="2" wrap="wrap">
              <Button size={{ base: "sm", md: "xs" }} variant="outline" onClick={() => setPainting(true)}>
                {t("generate.paint")}
              </Button>
              <Pick label={t("generate.chooseMask")} onPick={(source) => set({ mask: source })} />
              <Text fontSize="xs" color="fg.muted">
                {t("generate.maskHelp")}
              </Text>
            </Flex>
          )}
        </>
      )}
      {start && painting && (
        <Suspense fallback={null}>
          <MaskPainter
            url={start.kind === "file" ? start.data : `/api/v1/generations/${start.id}/image`}
            onClose={() => setPainting(false)}
            onDone={(data) => {
              set({ mask: { kind: "file", name: t("generate.painted"), data } });
              setPainting(false);
            }}
          />
        </Suspense>
      )}
      {problem && (
        <Text role="alert" fontSize="xs" color="fg.error">
          {problem}
        </Text>
      )}
    </Flex>
  );
}
