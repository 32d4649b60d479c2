/** Inputs of the builder: 16 px on phones, because below that iOS zooms into the page. */
export const control = { size: { base: "md", md: "sm" }, fontSize: { base: "md", md: "sm" }, bg: "bg.panel" } as const;
