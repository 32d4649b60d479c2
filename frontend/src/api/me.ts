// Who uses the app, and what the role allows: what it does not is absent or says why.
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "./queries";

export function useMe() {
  const { data: me } = useQuery(meQuery);
  return {
    me,
    isAdmin: me?.role === "admin",
    mayWrite: me !== undefined && me.role !== "viewer",
    /** False on a server without users: everybody is its local admin. */
    hasUsers: me !== undefined && me.id != null,
  };
}
