// Tags of a picture: chips that can be taken off, and a field that knows the tags in use.
import { Box, Flex, IconButton, Input } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { api, call } from "@/api/client";
import { t } from "@/i18n";
import { addedTag, mostTags, tagLength } from "./tags";

export function useTagSuggestions(beginning: string) {
  return useQuery({
    queryKey: ["tags", beginning],
    queryFn: () => call(api.GET("/api/v1/tags", { params: { query: beginning ? { q: beginning } : {} } })),
    retry: false,
    placeholderData: (old) => old,
  });
}

interface Props {
  tags: string[];
  onChange: (tags: string[]) => void;
  disabled?: boolean;
}

export function TagEditor({ tags, onChange, disabled }: Props) {
  const list = useId();
  const [text, setText] = useState("");
  const suggestions = useTagSuggestions(text.trim()).data?.items ?? [];
  const add = (typed: string) => {
    const next = addedTag(tags, typed);
    if (next !== tags) onChange(next);
    setText("");
  };
  return (
    <Flex wrap="wrap" gap="1.5" align="center">
      {tags.map((tag) => (
        <Flex key={tag} align="center" gap="1" ps="2" rounded="full" bg="bg.muted" fontSize="xs" minH="7" maxW="full">
          <Box truncate>{tag}</Box>
          {!disabled && (
            <IconButton
              size="2xs"
              minW="6"
              h="6"
              rounded="full"
              variant="ghost"
              aria-label={t("detail.removeTag", { tag })}
              onClick={() => onChange(tags.filter((one) => one !== tag))}
            >
              <X size={12} />
            </IconButton>
          )}
        </Flex>
      ))}
      {!disabled && tags.length < mostTags && (
        <>
          <Input
            size="xs"
            w="28"
            flex="1"
            minW="24"
            fontSize={{ base: "md", md: "xs" }}
            list={list}
            maxLength={tagLength}
            enterKeyHint="done"
            autoComplete="off"
            aria-label={t("detail.addTag")}
            placeholder={t("detail.addTag")}
            value={text}
            onChange={({ target }) =>
              target.value.endsWith(",") ? add(target.value.slice(0, -1)) : setText(target.value)
            }
            onKeyDown={(event) => {
              if (event.key === "Enter") {
                event.preventDefault();
                add(text);
              }
              if (event.key === "Backspace" && text === "" && tags.length) onChange(tags.slice(0, -1));
            }}
            onBlur={() => text && add(text)}
          />
          <datalist id={list}>
            {suggestions
              .filter((one) => !tags.includes(one.tag))
              .slice(0, 20)
              .map((one) => (
                <option key={one.tag} value={one.tag} />
              ))}
          </datalist>
        </>
      )}
    </Flex>
  );
}
