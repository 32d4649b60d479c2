// A button that opens a list of actions. The browser's own popover does what a library would need 50 kB for: the top
// layer, closing by Escape or a click elsewhere, the focus's way back.
//
//   <ActionMenu label={t("grid.export")} items={[{ label: "CSV", run: exportCsv }, { label: "Docs", href: "/docs" }]}>
//     <Download size={16} /> {t("grid.export")}
//   </ActionMenu>
//
// Keys as WAI-ARIA's menu button has them: arrows, Home, End, first letters; Tab leaves.
import { Box, Button, type ButtonProps } from "@chakra-ui/react";
import { type KeyboardEvent, type ReactNode, useId, useRef } from "react";

export interface Action {
  label: string;
  icon?: ReactNode;
  run?: () => void;
  /** Instead of `run`: a download or a page outside of the app. */
  href?: string;
  danger?: boolean;
  disabled?: boolean;
  /** A line above it. */
  apart?: boolean;
}

interface Props extends Omit<ButtonProps, "onSelect"> {
  /** Said when the button shows an icon alone. */
  label?: string;
  items: Action[];
}

const gap = 4;

/** Below the button, or above it where there is more room; never beyond the window. */
export function placeOf(
  button: DOMRect,
  list: { width: number; height: number },
  window: { width: number; height: number },
) {
  const below = window.height - button.bottom;
  const top = below >= list.height + gap || below >= button.top ? button.bottom + gap : button.top - gap - list.height;
  const left = Math.min(button.left, window.width - list.width - gap);
  return { top: Math.max(gap, Math.min(top, window.height - list.height - gap)), left: Math.max(gap, left) };
}

export function ActionMenu({ label, items, children, ...props }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const entries = () => [
    ...(list.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not([aria-disabled=true])") ?? []),
  ];

  const opened = (open: boolean) => {
    button.current?.setAttribute("aria-expanded", String(open));
    if (!open || !list.current || !button.current) return;
    const place = placeOf(button.current.getBoundingClientRect(), list.current.getBoundingClientRect(), {
      width: innerWidth,
      height: innerHeight,
    });
    Object.assign(list.current.style, { top: `${place.top}px`, left: `${place.left}px` });
    entries()[0]?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const letter = event.key.length === 1 && !event.ctrlKey && !event.metaKey ? event.key.toLowerCase() : undefined;
    const to = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at - 1 + all.length) % all.length,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    // The keys of the page below wait until the menu is closed.
    event.stopPropagation();
    if (event.key === "Tab") list.current?.hidePopover();
    if (to !== undefined) {
      event.preventDefault();
      all[to]?.focus();
    } else if (letter && letter !== " ") {
      const turned = [...all.slice(at + 1), ...all.slice(0, at + 1)];
      turned.find((one) => one.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
    }
  };

  return (
    <>
      <Button
        ref={button}
        popoverTarget={id}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={false}
        aria-controls={id}
        {...props}
      >
        {children}
      </Button>
      <Box
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-label={label ?? (typeof children === "string" ? children : undefined)}
        onToggle={(event: { newState?: string }) => opened(event.newState === "open")}
        onKeyDown={onKeyDown}
        position="fixed"
        inset="unset"
        m="0"
        p="1"
        minW="44"
        maxH="80dvh"
        overflowY="auto"
        bg="bg.panel"
        color="fg"
        borderWidth="1px"
        borderColor="border"
        rounded="md"
        shadow="lg"
      >
        {items.map((item) => (
          <Item key={item.label} item={item} close={() => list.current?.hidePopover()} />
        ))}
      </Box>
    </>
  );
}

function Item({ item, close }: { item: Action; close: () => void }) {
  const look = {
    role: "menuitem",
    tabIndex: -1,
    w: "full",
    h: { base: "11", md: "8" },
    px: "2.5",
    gap: "2.5",
    display: "flex",
    alignItems: "center",
    rounded: "sm",
    textAlign: "start",
    fontWeight: "normal",
    color: item.danger ? "fg.error" : undefined,
    borderTopWidth: item.apart ? "1px" : undefined,
    opacity: item.disabled ? 0.5 : undefined,
    cursor: item.disabled ? "not-allowed" : "pointer",
    _hover: { bg: "bg.muted" },
    _focus: { bg: "bg.muted", outline: "none" },
  } as const;
  const inside = (
    <>
      {item.icon}
      {item.label}
    </>
  );
  if (item.href)
    return (
      <Box asChild {...look}>
        <a href={item.href} onClick={close}>
          {inside}
        </a>
      </Box>
    );
  const run = () => {
    if (item.disabled) return;
    close();
    item.run?.();
  };
  return (
    <Box asChild {...look}>
      <button type="button" aria-disabled={item.disabled} onClick={run}>
        {inside}
      </button>
    </Box>
  );
}
