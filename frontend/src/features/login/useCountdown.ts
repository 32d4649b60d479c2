import { useEffect, useState } from "react";

/** Whole seconds until `end` (milliseconds of Date.now), 0 from then on. */
export function useCountdown(end: number | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  const left = end === undefined ? 0 : Math.max(0, Math.ceil((end - now) / 1000));
  useEffect(() => {
    if (end === undefined) return;
    const timer = setInterval(() => {
      setNow(Date.now());
      if (Date.now() >= end) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [end]);
  return left;
}
