import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { listenForInstall } from "./pwa/install";
import { startOutbox } from "./pwa/outbox";
import { startServiceWorker } from "./pwa/register";

const root = document.getElementById("root");
if (root)
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
startServiceWorker();
listenForInstall();
startOutbox();
