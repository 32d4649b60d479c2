// The sections of the app: the order of the navigation, their addresses and the keys that go there ("g" then the letter).
import {
  Activity,
  Box,
  Database,
  FlaskConical,
  Images,
  ListTodo,
  Scale,
  Settings,
  Users,
  WandSparkles,
} from "lucide-react";
import type { ComponentType } from "react";
import type { MessageKey } from "@/i18n";

export interface Section {
  path: string;
  label: MessageKey;
  icon: ComponentType<{ size?: number }>;
  key: string;
  /** Stands in the bar at the foot of a phone; the others are under "More". */
  phone: boolean;
  admin?: boolean;
}

export const sections: Section[] = [
  { path: "/", label: "common.nav.generate", icon: WandSparkles, key: "n", phone: true },
  { path: "/experiments", label: "common.nav.experiments", icon: FlaskConical, key: "e", phone: true },
  { path: "/judge", label: "common.nav.judge", icon: Scale, key: "j", phone: true },
  { path: "/gallery", label: "common.nav.gallery", icon: Images, key: "g", phone: true },
  { path: "/tasks", label: "common.nav.tasks", icon: Database, key: "t", phone: false },
  { path: "/queue", label: "common.nav.queue", icon: ListTodo, key: "q", phone: false },
  { path: "/models", label: "common.nav.models", icon: Box, key: "m", phone: false },
  { path: "/system", label: "common.nav.system", icon: Activity, key: "s", phone: false },
  { path: "/people", label: "common.nav.people", icon: Users, key: "p", phone: false },
  { path: "/settings", label: "common.nav.settings", icon: Settings, key: "o", phone: false },
];
