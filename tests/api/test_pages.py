"""Lists are answered from memory while nothing changes, and never a moment longer."""

import concurrent.futures
import sqlite3

from server import DATABASE, SMALL, ApiTest, need_backends

setUpModule = need_backends
LIST = "/api/v1/generations"


class Changes(ApiTest):
    def test_every_change_is_seen_at_once(self):
        self.assertEqual(self.get(LIST).json["items"], [])
        one = self.draw_one(seed=1)
        listed = self.get(LIST).json["items"]
        self.assertEqual([g["id"] for g in listed], [one["id"]])
        for rating in (1, 5, 2):
            self.ask(200, "PATCH", one["url"], {"rating": rating})
            self.assertEqual(self.get(LIST).json["items"][0]["rating"], rating)
        with self.paused_queue():
            two = self.post("/api/v1/generate", {**SMALL, "seed": 2}, 202).json["generations"][0]
            self.assertEqual(self.get(LIST).json["items"][0]["status"], "queued")
            self.ask(200, "POST", two["url"] + "/cancel")
            self.assertEqual(self.get(LIST).json["items"][0]["status"], "cancelled")
        self.ask(204, "DELETE", one["url"])
        self.ask(204, "DELETE", two["url"])
        self.assertEqual(self.get(LIST).json["items"], [])


class Pages(ApiTest):
    def test_who_polls_hears_that_nothing_is_new(self):
        one = self.draw_one(seed=3)
        answer = self.get(LIST)
        tag = answer.headers["ETag"]
        self.assertEqual(answer.headers["Cache-Control"], "private, no-cache")
        again = self.get(LIST, 304, headers={"If-None-Match": tag})
        self.assertEqual((again.body, again.headers["ETag"]), (b"", tag))
        self.ask(200, "PATCH", one["url"], {"favourite": True})
        self.assertNotEqual(self.get(LIST, headers={"If-None-Match": tag}).headers["ETag"], tag)

    def test_different_questions_have_different_answers(self):
        self.draw(seed=4, count=3)
        self.assertEqual(len(self.get(LIST + "?limit=2").json["items"]), 2)
        self.assertEqual(len(self.get(LIST + "?limit=1").json["items"]), 1)
        self.assertEqual(len(self.get(LIST + "?limit=2").json["items"]), 2)
        self.get(LIST + "?limit=0", 422)

    def test_many_at_once_while_it_changes(self):
        one = self.draw_one(seed=5)

        def look(_):
            return self.server.ask("GET", LIST + "?limit=1").json["items"][0]["rating"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for rating in (1, 2, 3, 4, 5):
                self.ask(200, "PATCH", one["url"], {"rating": rating})
                self.assertEqual(set(pool.map(look, range(40))), {rating})


class Apart(ApiTest):
    users = (("anna", "admin", "correct horse battery"), ("ed", "editor", "correct horse battery"))

    def test_nobody_sees_the_page_of_another(self):
        cookies = []
        for name in ("anna", "ed"):
            answer = self.post("/api/v1/login", {"name": name, "password": "correct horse battery"})
            cookies.append({"Cookie": answer.headers["Set-Cookie"].split(";")[0]})
        self.post("/api/v1/generate", SMALL, 202, headers=cookies[0])
        self.assertEqual(len(self.get(LIST, headers=cookies[0]).json["items"]), 1)
        self.assertEqual(self.get(LIST, headers=cookies[1]).json["items"], [])
        self.get(LIST, 401)


class Elsewhere(ApiTest):
    """Another process writes into the same database."""

    def test_its_changes_are_seen(self):
        if DATABASE != "sqlite":
            self.skipTest("the pair with PostgreSQL has its own two processes in test_kill")
        one = self.draw_one(seed=6)
        self.assertEqual(self.get(LIST).json["items"][0]["rating"], None)
        with sqlite3.connect(self.server.folder / "data" / "cauldron.db", timeout=30) as db:
            db.execute("UPDATE generations SET rating = 4 WHERE id = ?", (one["id"],))
        self.assertEqual(self.get(LIST).json["items"][0]["rating"], 4)
