import { useEffect, useState } from "react";

/** Whether an element is on the screen or near it. With `once` it stays true: what was loaded stays loaded. */
export function useInView(once: boolean): [(node: HTMLElement | null) => void, boolean] {
  const [node, setNode] = useState<HTMLElement | null>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!node) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const now = entries.some((entry) => entry.isIntersecting);
        setSeen((before) => now || (once && before));
        if (now && once) observer.disconnect();
      },
      { rootMargin: "300px" },
    );
    observer.observe(node);
    return () => observer.disconnect();
  }, [node, once]);
  return [setNode, seen];
}
