// Before the first paint: the class that light and dark depend on (src/store/settings.ts keeps the choice).
(() => {
  let theme = "system";
  try {
    theme = JSON.parse(localStorage.getItem("cauldron-settings")).state.theme;
  } catch {
    // Nothing was chosen, or storage is forbidden.
  }
  const dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.add(dark ? "dark" : "light");
})();
