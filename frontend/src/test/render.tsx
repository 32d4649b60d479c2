// A component as it stands in the app: theme, queries, router. The server is a table of answers.
//
//   serve({ "GET /api/v1/models": () => ({ items: [] }) });
//   renderAt("/models", <ModelsPage />);
import { ChakraProvider } from "@chakra-ui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { vi } from "vitest";
import { system } from "@/app/theme";
import { Notifications } from "@/components/notify";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** "METHOD /path" (`:id` stands for one part) to a function that gives the body, or a Response. */
export function serve(answers: Record<string, (asked: Asked) => unknown>): { asked: Asked[] } {
  const seen: Asked[] = [];
  vi.stubGlobal("fetch", async (input: Request | string | URL, init?: RequestInit) => {
    const request = input instanceof Request ? input : new Request(new URL(String(input), location.origin), init);
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.text();
    const asked = {
      method: request.method,
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      body: text ? JSON.parse(text) : undefined,
    };
    seen.push(asked);
    for (const [key, answer] of Object.entries(answers)) {
      const [method, pattern = ""] = key.split(" ");
      const matches = new RegExp(`^${pattern.replace(/:\w+/g, "[^/]+")}$`).test(asked.path);
      if (method === asked.method && matches) {
        const body = answer(asked);
        return body instanceof Response ? body : Response.json(body ?? null);
      }
    }
    return Response.json({ code: "not_found", detail: `no answer for ${asked.method} ${asked.path}` }, { status: 404 });
  });
  return { asked: seen };
}

export function problem(status: number, code: string, detail: string, errors: object[] = []): Response {
  return Response.json({ type: "", title: "", status, code, detail, errors }, { status });
}

export function renderAt(address: string, element: ReactElement, path = "*") {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 0 } } });
  const router = createMemoryRouter([{ path, element }], { initialEntries: [address] });
  const view = render(
    <ChakraProvider value={system}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <Notifications />
      </QueryClientProvider>
    </ChakraProvider>,
  );
  return { ...view, router, client };
}
