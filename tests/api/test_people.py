"""Who may do what: first user, login, sessions, passwords, keys, users, throttling, audit."""

import base64
import subprocess
import unittest

from server import PROGRAM, SMALL, ApiTest, Server, need_backends

setUpModule = need_backends
PASSWORD = "correct horse battery"
OTHER = "seven quiet lighthouses"


def cookie_of(answer):
    """What the browser would send back."""
    return answer.headers["Set-Cookie"].split(";")[0]


class People(ApiTest):
    users = (("anna", "admin", PASSWORD), ("ed", "editor", PASSWORD), ("vi", "viewer", PASSWORD))

    def login(self, name, password=PASSWORD, status=200):
        return self.post("/api/v1/login", {"name": name, "password": password}, status)

    def as_user(self, name, password=PASSWORD):
        return {"Cookie": cookie_of(self.login(name, password))}


class Login(People):
    def test_without_login_there_is_nothing_to_see(self):
        self.problem(401, "GET", "/api/v1/generations")
        answer = self.ask(401, "GET", "/api/v1/generations")
        self.assertTrue(answer.headers["WWW-Authenticate"])
        for path in ("/healthz", "/readyz", "/version", "/docs", "/openapi.json"):
            self.get(path)

    def test_the_cookie_is_a_good_one(self):
        answer = self.login("anna")
        text = answer.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="):
            self.assertIn(part, text)
        self.assertNotIn("Secure", text) # over http it would be lost
        self.assertEqual(answer.json["name"], "anna")
        self.assertEqual(answer.json["role"], "admin")
        me = self.get("/api/v1/me", headers={"Cookie": cookie_of(answer)}).json
        self.assertEqual(me["id"], answer.json["id"])
        self.assertEqual(me["session_id"], answer.json["session_id"])

    def test_wrong_ones_are_refused_alike(self):
        wrong = self.problem(401, "POST", "/api/v1/login",
                             {"name": "ed", "password": "not this one"}, "wrong_credentials")
        nobody = self.problem(401, "POST", "/api/v1/login",
                              {"name": "nobody", "password": "not this one"}, "wrong_credentials")
        self.assertEqual(wrong["detail"], nobody["detail"])

    def test_logging_in_again_ends_the_former_session(self):
        former = self.as_user("vi")
        again = self.post("/api/v1/login", {"name": "vi", "password": PASSWORD}, headers=former)
        self.get("/api/v1/me", 401, headers=former)
        self.get("/api/v1/me", headers={"Cookie": cookie_of(again)})

    def test_logout_ends_it(self):
        headers = self.as_user("vi")
        answer = self.post("/api/v1/logout", None, 204, headers=headers)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])
        self.get("/api/v1/me", 401, headers=headers)

    def test_a_cookie_needs_our_own_origin_to_change_things(self):
        headers = self.as_user("ed")
        self.post("/api/v1/generate", SMALL, 403,
                  headers={**headers, "Origin": "https://evil.example"})
        self.post("/api/v1/generate", SMALL, 202,
                  headers={**headers, "Origin": self.server.url})
        self.get("/api/v1/me", headers={**headers, "Origin": "https://evil.example"})

    def test_basic_works_for_programs(self):
        def basic(text):
            return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
        self.assertEqual(self.get("/api/v1/me", headers=basic(f"ed:{PASSWORD}")).json["name"], "ed")
        self.get("/api/v1/me", 401, headers=basic("ed:wrong password"))
        self.get("/api/v1/me", 401, headers=basic("nobody:wrong password"))
        self.get("/api/v1/me", 401, headers={"Authorization": "Basic %%%"})
        self.get("/sdapi/v1/sd-models", headers=basic(f"vi:{PASSWORD}"))


class Passwords(People):
    def test_change_ends_all_other_sessions(self):
        mine, elsewhere = self.as_user("vi"), self.as_user("vi")
        self.problem(422, "POST", "/api/v1/me/password",
                     {"old_password": "wrong one", "new_password": OTHER}, headers=mine,
                     pointers=["/old_password"])
        answer = self.post("/api/v1/me/password",
                           {"old_password": PASSWORD, "new_password": OTHER}, 204, headers=mine)
        self.get("/api/v1/me", 401, headers=elsewhere)
        self.get("/api/v1/me", 401, headers=mine) # rotated
        self.get("/api/v1/me", headers={"Cookie": cookie_of(answer)})
        self.login("vi", PASSWORD, 401)
        self.login("vi", OTHER)

    def test_a_short_one_is_refused(self):
        self.problem(422, "POST", "/api/v1/me/password",
                     {"old_password": PASSWORD, "new_password": "short"},
                     headers=self.as_user("ed"), pointers=["/new_password"])


class Throttle(People):
    def test_guessing_gets_slower_but_keys_go_on(self):
        key = self.post("/api/v1/api-keys", {"name": "k"}, 201,
                        headers=self.as_user("ed")).json["key"]
        for _ in range(5): # the sixth would have to wait for its answer
            self.login("ed", "a wrong password", 401)
        answer = self.login("ed", PASSWORD, 429)
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.get("/api/v1/me", headers={"Authorization": f"Bearer {key}"})
        self.login("vi") # others are not held up


class Sessions(People):
    def test_they_are_listed_and_can_be_ended(self):
        mine, elsewhere = self.as_user("ed"), self.as_user("ed")
        items = self.get("/api/v1/sessions", headers=mine).json["items"]
        self.assertEqual(sum(s["current"] for s in items), 1)
        other = self.get("/api/v1/me", headers=elsewhere).json["session_id"]
        self.assertIn(other, [s["id"] for s in items])
        self.ask(404, "DELETE", f"/api/v1/sessions/{other}", headers=self.as_user("vi"))
        self.ask(204, "DELETE", f"/api/v1/sessions/{other}", headers=mine)
        self.get("/api/v1/me", 401, headers=elsewhere)


class Keys(People):
    def make(self, name="ed", **body):
        return self.post("/api/v1/api-keys", {"name": "k", **body}, 201,
                         headers=self.as_user(name)).json

    def test_a_key_works_until_it_is_revoked(self):
        made = self.make(scopes=["read", "write"])
        bearer = {"Authorization": f"Bearer {made['key']}"}
        self.assertTrue(made["key"].startswith(made["api_key"]["prefix"]))
        me = self.get("/api/v1/me", headers=bearer).json
        self.assertTrue(me["by_key"])
        self.assertEqual(me["scopes"], ["read", "write"])
        self.get("/api/v1/me", headers={"X-API-Key": made["key"]})
        self.post("/api/v1/generate", SMALL, 202, headers=bearer)
        listed = self.get("/api/v1/api-keys", headers=self.as_user("ed")).json["items"]
        one = next(k for k in listed if k["id"] == made["api_key"]["id"])
        self.assertIsNotNone(one["used_at"])
        self.assertNotIn(made["key"], str(listed))
        self.ask(404, "DELETE", f"/api/v1/api-keys/{one['id']}", headers=self.as_user("vi"))
        self.ask(204, "DELETE", f"/api/v1/api-keys/{one['id']}", headers=self.as_user("ed"))
        self.get("/api/v1/me", 401, headers=bearer)

    def test_scopes_hold(self):
        bearer = {"Authorization": f"Bearer {self.make(scopes=['read'])['key']}"}
        self.get("/api/v1/generations", headers=bearer)
        self.post("/api/v1/generate", SMALL, 403, headers=bearer)

    def test_a_key_may_not_do_more_than_its_owner(self):
        self.problem(422, "POST", "/api/v1/api-keys", {"name": "k", "scopes": ["admin"]},
                     headers=self.as_user("ed"), pointers=["/scopes"])

    def test_an_expired_one_is_not_made(self):
        self.problem(422, "POST", "/api/v1/api-keys",
                     {"name": "k", "expires_at": "2020-01-01T00:00:00Z"},
                     headers=self.as_user("ed"), pointers=["/expires_at"])


class Users(People):
    def test_admins_manage_them(self):
        admin = self.as_user("anna")
        answer = self.post("/api/v1/users", {"name": "new one", "password": PASSWORD,
                                             "role": "viewer"}, 201, headers=admin)
        url = answer.headers["Location"]
        self.post("/api/v1/users", {"name": "NEW one", "password": PASSWORD}, 409, headers=admin)
        theirs = self.as_user("new one")
        self.get(url, 403, headers=theirs)
        changed = self.ask(200, "PATCH", url, {"role": "editor"}, headers=admin).json
        self.assertEqual(changed["role"], "editor")
        self.get("/api/v1/me", headers=theirs)
        self.ask(200, "PATCH", url, {"disabled": True}, headers=admin)
        self.get("/api/v1/me", 401, headers=theirs)
        self.login("new one", status=401)
        self.ask(204, "DELETE", url, headers=admin)
        self.get(url, 404, headers=admin)

    def test_the_last_admin_stays(self):
        admin = self.as_user("anna")
        url = "/api/v1/users/" + self.get("/api/v1/me", headers=admin).json["id"]
        self.ask(409, "PATCH", url, {"role": "viewer"}, headers=admin)
        self.ask(409, "PATCH", url, {"disabled": True}, headers=admin)
        self.ask(409, "DELETE", url, headers=admin)

    def test_pages_of_users(self):
        admin = self.as_user("anna")
        names, cursor = [], ""
        while cursor is not None:
            page = self.get(f"/api/v1/users?limit=1{cursor}", headers=admin).json
            names += [u["name"] for u in page["items"]]
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
        self.assertTrue({"anna", "ed", "vi"} <= set(names))
        self.assertEqual(len(names), len(set(names)))

    def test_what_happened_is_written_down(self):
        admin = self.as_user("anna")
        self.login("ed", "a wrong password", 401)
        kinds = [e["kind"] for e in self.get("/api/v1/events?limit=50", headers=admin).json["items"]]
        self.assertIn("login", kinds)
        failed = self.get("/api/v1/events?kind=login_failed", headers=admin).json["items"][0]
        self.assertEqual(failed["subject"], "ed")
        self.assertEqual(failed["address"], "127.0.0.1")
        self.get("/api/v1/events", 403, headers=self.as_user("ed"))


class Belongings(People):
    def test_users_see_their_own(self):
        ed, vi = self.as_user("ed"), self.as_user("vi")
        one = self.post("/api/v1/generate", SMALL, 202, headers=ed).json["generations"][0]
        self.get(one["url"], headers=ed)
        self.get(one["url"], 404, headers=vi)
        self.get(one["url"], headers=self.as_user("anna"))
        self.assertEqual(self.get("/api/v1/generations", headers=vi).json["items"], [])
        self.assertEqual(len(self.get("/api/v1/generations", headers=ed).json["items"]), 1)


class FirstUser(ApiTest):
    def test_without_users_everybody_is_at_home(self):
        me = self.get("/api/v1/me").json
        self.assertEqual((me["name"], me["role"], me["id"]), ("local", "admin", None))
        self.post("/api/v1/api-keys", {"name": "k"}, 409)
        self.problem(422, "POST", "/api/v1/users", {"name": "a", "password": PASSWORD,
                                                    "role": "editor"}, pointers=["/role"])
        self.post("/api/v1/users", {"name": "a", "password": PASSWORD, "role": "admin"}, 201)
        self.get("/api/v1/me", 401) # from then on
        self.post("/api/v1/login", {"name": "a", "password": PASSWORD})

    def test_names_that_were_pointed_at_us_are_refused(self):
        self.get("/version", 421, headers={"Host": "evil.example"})
        self.get("/version", headers={"Host": "localhost"})

    def test_others_are_let_in_only_with_a_user(self):
        storage = ["--data", str(self.server.folder / "empty")]
        done = subprocess.run([PROGRAM, "serve", "--address", "0.0.0.0", "--port", "0", *storage],
                              env=self.server.environment(), cwd=self.server.folder,
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cauldron user add", done.stderr)


class Terminal(unittest.TestCase):
    def test_users_on_the_terminal(self):
        one = Server(users=[("root", "viewer", PASSWORD)])
        try:
            listed = self.user(one, "list").stdout
            self.assertIn("root", listed)
            self.assertIn("admin", listed) # the first one is
            self.assertEqual(self.user(one, "password", "root", "--password", OTHER).returncode, 0)
            answer = one.ask("POST", "/api/v1/login", {"name": "root", "password": OTHER})
            self.assertEqual(answer.status, 200)
            short = self.user(one, "add", "two", "--password", "short")
            self.assertEqual(short.returncode, 1)
            self.assertIn("10 to 1024", short.stderr)
            self.assertEqual(self.user(one, "remove", "nobody").returncode, 1)
        finally:
            one.remove()

    @staticmethod
    def user(one, *words):
        storage = one.storage()
        if "--redis" in storage:
            at = storage.index("--redis")
            del storage[at:at + 2]
        return subprocess.run([PROGRAM, "user", *words, *storage], env=one.environment(),
                              cwd=one.folder, capture_output=True, text=True, timeout=60,
                              check=False)


