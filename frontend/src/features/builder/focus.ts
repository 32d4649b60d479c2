// Focus by name: fields carry data-focus. Asked for after a change, so that the field may still have to be rendered.
export function focusOn(name: string): boolean {
  const field = [...document.querySelectorAll<HTMLElement>("[data-focus]")].find((one) => one.dataset.focus === name);
  field?.scrollIntoView({ block: "center" });
  field?.focus();
  return !!field;
}

export function focusSoon(name: string): void {
  setTimeout(() => focusOn(name), 50);
}
