// At the end of an endless list: the next page comes when this is seen, or pressed.
import { Button, Flex } from "@chakra-ui/react";
import { useEffect, useRef } from "react";
import { t } from "@/i18n";

interface Pages {
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  isFetchNextPageError: boolean;
  fetchNextPage: () => Promise<unknown>;
}

export function MoreButton({ query }: { query: Pages }) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const place = useRef<HTMLDivElement>(null);
  // After a failure only the button asks again: nothing is tried without end.
  const automatic = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (!place.current || !automatic) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), {
      rootMargin: "600px",
    });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [automatic, fetchNextPage]);
  if (!hasNextPage) return null;
  return (
    <Flex ref={place} justify="center" p="4">
      <Button size="sm" variant="outline" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {t("common.showMore")}
      </Button>
    </Flex>
  );
}
