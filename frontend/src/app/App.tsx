import { ChakraProvider } from "@chakra-ui/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { RouterProvider } from "react-router";
import { makeQueryClient } from "@/api/queries";
import { followTheme } from "@/store/settings";
import { makeRouter } from "./routes";
import { system } from "./theme";

export function App() {
  const [client] = useState(makeQueryClient);
  const [router] = useState(makeRouter);
  useEffect(followTheme, []);
  return (
    <ChakraProvider value={system}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ChakraProvider>
  );
}
