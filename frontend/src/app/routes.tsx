// Addresses. Each page is a chunk of its own: `lazy` imports `Component`.
import { createBrowserRouter, type RouteObject } from "react-router";
import { Loading } from "@/components/states";
import { Broken, NotFound } from "./Failures";
import { Layout } from "./Layout";

export const routes: RouteObject[] = [
  {
    element: <Layout />,
    errorElement: <Broken />,
    children: [
      {
        errorElement: <Broken />,
        // The frame is there while the page's chunk comes.
        hydrateFallbackElement: <Loading />,
        children: [
          { path: "/", lazy: () => import("@/features/generate/GeneratePage") },
          { path: "/experiments", lazy: () => import("@/features/experiments/ExperimentsPage") },
          { path: "/experiments/new", lazy: () => import("@/features/builder/BuilderPage") },
          { path: "/experiments/:id/edit", lazy: () => import("@/features/builder/BuilderPage") },
          {
            path: "/experiments/:id",
            lazy: () => import("@/features/experiment/ExperimentPage"),
            children: [
              { index: true, lazy: () => import("@/features/monitor/MonitorPanel") },
              { path: "grid", lazy: () => import("@/features/grid/GridPanel") },
              { path: "analysis", lazy: () => import("@/features/analysis/AnalysisPanel") },
              { path: "judge", lazy: () => import("@/features/judge/JudgePanel") },
            ],
          },
          { path: "/judge", lazy: () => import("@/features/judge/JudgePage") },
          { path: "/gallery", lazy: () => import("@/features/gallery/GalleryPage") },
          { path: "/tasks", lazy: () => import("@/features/tasks/TasksPage") },
          { path: "/tasks/new", lazy: () => import("@/features/tasks/NewTaskPage") },
          { path: "/tasks/:id", lazy: () => import("@/features/tasks/TaskPage") },
          { path: "/queue", lazy: () => import("@/features/queue/QueuePage") },
          { path: "/models", lazy: () => import("@/features/models/ModelsPage") },
          { path: "/system", lazy: () => import("@/features/system/SystemPage") },
          { path: "/people", lazy: () => import("@/features/people/PeoplePage") },
          { path: "/settings", lazy: () => import("@/features/settings/SettingsPage") },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
  {
    path: "/login",
    lazy: () => import("@/features/login/LoginPage"),
    errorElement: <Broken />,
    hydrateFallbackElement: <Loading />,
  },
];

export const makeRouter = () => createBrowserRouter(routes);
