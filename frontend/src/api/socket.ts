// One Socket.IO connection for the whole app, made when the first room is wanted. Rooms are counted, entered again
// after a reconnection, and left when nobody looks any more. Events are hints: whoever shows them asks the API again
// after `onResume`, because what was sent while the connection was away is gone.
import type { Socket } from "socket.io-client";
import { create } from "zustand";

export type Handlers = Record<string, (payload: never) => void>;

export type LinkState = "idle" | "connecting" | "online" | "offline";
export const useLink = create<{ state: LinkState }>(() => ({ state: "idle" }));

let connection: Promise<Socket> | undefined;
const rooms = new Map<string, number>();
const resumed = new Set<() => void>();

function enter(socket: Socket, names: string[]): void {
  if (names.length) socket.emit("subscribe", { rooms: names }, () => {});
}

function connect(): Promise<Socket> {
  connection ??= import("socket.io-client").then(({ io }) => {
    useLink.setState({ state: "connecting" });
    let first = true;
    const socket = io({ withCredentials: true });
    socket.on("connect", () => {
      useLink.setState({ state: "online" });
      enter(socket, [...rooms.keys()]);
      if (!first) for (const listener of resumed) listener();
      first = false;
    });
    socket.on("disconnect", () => useLink.setState({ state: "offline" }));
    socket.on("connect_error", () => useLink.setState({ state: "offline" }));
    return socket;
  });
  return connection;
}

/** Listen in rooms until the returned function is called. `rooms` empty: events of the user's own room. */
export function listen(names: string[], handlers: Handlers, onResume?: () => void): () => void {
  let ended = false;
  let end = () => {};
  if (onResume) resumed.add(onResume);
  void connect().then((socket) => {
    if (ended) return;
    const fresh = names.filter((name) => !rooms.has(name));
    for (const name of names) rooms.set(name, (rooms.get(name) ?? 0) + 1);
    if (socket.connected) enter(socket, fresh);
    for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler as (payload: unknown) => void);
    end = () => {
      for (const [event, handler] of Object.entries(handlers)) socket.off(event, handler as (payload: unknown) => void);
      const left = names.filter((name) => {
        const count = (rooms.get(name) ?? 1) - 1;
        if (count) rooms.set(name, count);
        else rooms.delete(name);
        return !count;
      });
      if (left.length && socket.connected) socket.emit("unsubscribe", { rooms: left }, () => {});
    };
  });
  return () => {
    ended = true;
    if (onResume) resumed.delete(onResume);
    end();
  };
}

/** Before a logout: the server refuses what a session that has ended still asks. */
export async function disconnect(): Promise<void> {
  const socket = await connection;
  socket?.disconnect();
  useLink.setState({ state: "idle" });
}

/** After a login: who listens gets a connection of the new identity. */
export async function reconnect(): Promise<void> {
  const socket = await connection;
  if (!socket) return;
  socket.disconnect();
  useLink.setState({ state: "connecting" });
  socket.connect();
}
