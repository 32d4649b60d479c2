// The app after somebody else took over: nothing that was shown or kept for the former user stays.
import type { QueryClient } from "@tanstack/react-query";
import { api, call, type Schemas } from "@/api/client";
import { meQuery } from "@/api/queries";
import { disconnect, reconnect } from "@/api/socket";
import { forgetKept } from "@/pwa/kept";

export async function login(client: QueryClient, name: string, password: string): Promise<Schemas["Me"]> {
  const me = await call(api.POST("/api/v1/login", { body: { name, password } }));
  client.clear();
  client.setQueryData(meQuery.queryKey, me);
  void reconnect();
  return me;
}

export async function logout(client: QueryClient): Promise<void> {
  await disconnect();
  try {
    await call(api.POST("/api/v1/logout"));
  } catch (error) {
    void reconnect();
    throw error;
  }
  client.clear();
  await forgetKept().catch(() => {});
}
