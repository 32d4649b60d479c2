"""Many generations at once: changed, deleted and restored, as one ZIP file; the tags in use."""

import io
import json
import time
import zipfile

from server import SMALL, ApiTest, need_backends, picture_size

setUpModule = need_backends
NOBODY = "00000000-0000-7000-8000-000000000000"
PASSWORD = "a long enough password"


class Batch(ApiTest):
    def batch(self, ids, action, **more):
        return self.post("/api/v1/generations/batch",
                         {"ids": list(ids), "action": action, **more}).json

    def made(self, count, **parameters):
        return [self.draw_one(seed=100 + i, **parameters) for i in range(count)]

    def test_update(self):
        ids = [g["id"] for g in self.made(3, tags=["old", "both"])]
        answer = self.batch([*ids, NOBODY, ids[0]], "update", rating=4, favourite=True,
                            add_tags=["new", "both"], remove_tags=["old", "both"])
        self.assertEqual(answer["changed"], ids)
        self.assertEqual([s["id"] for s in answer["skipped"]], [NOBODY])
        self.assertTrue(answer["skipped"][0]["reason"])
        for i in ids:
            now = self.get(f"/api/v1/generations/{i}").json
            self.assertEqual((now["rating"], now["favourite"], now["tags"]), (4, True, ["both", "new"]))
        self.batch(ids[:1], "update", favourite=False)
        now = self.get(f"/api/v1/generations/{ids[0]}").json
        self.assertEqual((now["rating"], now["favourite"], now["tags"]), (4, False, ["both", "new"]))
        self.batch(ids[:1], "update", rating=None)
        self.assertFalse(self.get(f"/api/v1/generations/{ids[0]}").json["rating"])

    def test_not_too_many_tags(self):
        one, = self.made(1, tags=[f"t{i}" for i in range(31)])
        answer = self.batch([one["id"]], "update", add_tags=["t3", "x"])
        self.assertEqual(answer["changed"], [one["id"]])
        answer = self.batch([one["id"]], "update", add_tags=["y"])
        self.assertEqual(([], one["id"]), (answer["changed"], answer["skipped"][0]["id"]))
        answer = self.batch([one["id"]], "update", add_tags=["y"], remove_tags=["x"])
        self.assertEqual(answer["changed"], [one["id"]])
        self.batch([one["id"]], "update", remove_tags=[f"t{i}" for i in range(31)])
        self.assertEqual(self.get(one["url"]).json["tags"], ["y"])

    def test_delete_and_restore(self):
        drawn = self.made(3, tags=["gone"])
        ids = [g["id"] for g in drawn]
        with self.paused_queue():
            waits = self.post("/api/v1/generate", {**SMALL, "seed": 900}, 202).json["generations"][0]
            answer = self.batch([*ids, waits["id"]], "delete")
            self.assertEqual((answer["changed"], [s["id"] for s in answer["skipped"]]),
                             (ids, [waits["id"]]))
            self.assertIn("cancel", answer["skipped"][0]["reason"])
            self.post(waits["url"] + "/cancel")
        for one in drawn:
            self.get(one["url"], 404)
        self.assertEqual(self.batch(ids, "delete")["changed"], [])
        self.assertEqual(self.get("/api/v1/generations?tag=gone").json["items"], [])
        answer = self.batch([waits["id"], *ids, NOBODY], "restore")
        self.assertEqual(answer["changed"], ids)
        self.assertEqual([s["id"] for s in answer["skipped"]], [waits["id"], NOBODY])
        for one in drawn:
            self.assertEqual(self.get(one["url"]).json, one)

    def test_cells_stay(self):
        spec = {"version": 1, "type": "parameter_sweep", "prompts": ["a red circle"],
                "base": {"model": "demo", "width": 64, "height": 64, "seed": 5}, "steps": [2, 3]}
        x = self.post("/api/v1/experiments", {"spec": spec, "start": True}, 201).json
        self.until(lambda: self.get(x["url"]).json["status"] == "completed")
        cell = self.get(x["url"] + "/grid").json["items"][0]
        answer = self.batch([cell["id"]], "delete")
        self.assertIn("experiment", answer["skipped"][0]["reason"])
        self.ask(204, "DELETE", x["url"] + "?generations=true")
        answer = self.batch([cell["id"]], "restore")
        self.assertIn("experiment", answer["skipped"][0]["reason"])

    def test_bad_bodies(self):
        path = "/api/v1/generations/batch"
        self.problem(422, "POST", path, {"ids": [], "action": "delete"}, pointers=["/ids"])
        self.problem(422, "POST", path, {"ids": [NOBODY], "action": "burn"}, pointers=["/action"])
        self.problem(422, "POST", path, {"ids": [NOBODY] * 1001, "action": "delete"},
                     pointers=["/ids"])
        self.problem(422, "POST", path, {"ids": ["x"], "action": "delete"}, pointers=["/ids/0"])

    def test_tags_in_use(self):
        self.made(2, tags=["Zoo", "zoom"])
        self.made(1, tags=["zoom"])
        found = self.get("/api/v1/tags?q=zoo").json["items"]
        self.assertEqual(found, [{"tag": "zoom", "count": 3}, {"tag": "Zoo", "count": 2}])
        self.assertEqual(self.get("/api/v1/tags?q=%25").json["items"], [])
        every = self.get("/api/v1/tags").json["items"]
        self.assertEqual(every, sorted(every, key=lambda t: (-t["count"], t["tag"])))


class Zip(ApiTest):
    def archive(self, ids, **more):
        answer = self.post("/api/v1/generations/zip", {"ids": list(ids), **more})
        self.assertEqual(answer.headers["Content-Type"], "application/zip")
        self.assertIn(".zip", answer.headers["Content-Disposition"])
        archive = zipfile.ZipFile(io.BytesIO(answer.body))
        self.assertIsNone(archive.testzip())
        return archive

    def test_pictures_and_recipes(self):
        drawn = [self.draw_one(seed=i, sampler=s, cfg_scale=c) for i, s, c in
                 ((7, "euler", 2.5), (8, "ddim", 3))]
        with self.paused_queue():
            waits = self.post("/api/v1/generate", {**SMALL, "seed": 901}, 202).json["generations"][0]
            archive = self.archive([drawn[1]["id"], waits["id"], NOBODY, drawn[0]["id"],
                                    drawn[1]["id"]])
            self.post(waits["url"] + "/cancel")
        names = archive.namelist()
        self.assertEqual(names, ["001-demo-ddim-4-3-8.png", "004-demo-euler-4-2.5-7.png",
                                 "recipes.json"])
        for name, one in zip(names, (drawn[1], drawn[0])):
            self.assertEqual(archive.read(name), self.get(one["image"]["url"]).body)
        recipes = json.loads(archive.read("recipes.json"))
        self.assertEqual([i["file"] for i in recipes["items"]], names[:2])
        self.assertEqual(recipes["items"][0]["generation_id"], drawn[1]["id"])
        self.assertEqual(recipes["items"][0]["recipe"], drawn[1]["parameters"])
        self.assertEqual([i["generation_id"] for i in recipes["left_out"]], [waits["id"], NOBODY])

    def test_converted(self):
        one = self.draw_one(seed=9)
        for name, ending in (("webp", "webp"), ("jpeg", "jpg"), ("png", "png")):
            archive = self.archive([one["id"]], format=name)
            first = archive.namelist()[0]
            self.assertTrue(first.endswith("." + ending), first)
            self.assertEqual(picture_size(archive.read(first)), (name, 64, 64))

    def test_what_cannot_be(self):
        path = "/api/v1/generations/zip"
        self.problem(404, "POST", path, {"ids": [NOBODY]})
        self.problem(422, "POST", path, {"ids": [NOBODY], "format": "gif"}, pointers=["/format"])

    def test_a_reader_that_leaves(self):
        ids = [self.draw_one(seed=20 + i)["id"] for i in range(3)]
        import http.client
        for _ in range(5):
            line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
            line.request("POST", "/api/v1/generations/zip", json.dumps({"ids": ids}),
                         {"Content-Type": "application/json"})
            line.getresponse().read(10)
            line.close()
        time.sleep(0.2)
        self.get("/healthz")


class Owners(ApiTest):
    users = tuple((name, role, PASSWORD) for name, role in
                  (("anna", "admin"), ("ben", "editor"), ("eva", "editor")))

    def as_user(self, name):
        answer = self.server.ask("POST", "/api/v1/login", {"name": name, "password": PASSWORD})
        type(self).headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def test_of_others_nothing_is_there(self):
        self.as_user("ben")
        one = self.draw_one(seed=1, tags=["bens"])
        self.as_user("eva")
        for action in ("update", "delete", "restore"):
            answer = self.post("/api/v1/generations/batch",
                               {"ids": [one["id"]], "action": action, "rating": 1}).json
            self.assertEqual((answer["changed"], answer["skipped"][0]["id"]), ([], one["id"]))
        self.problem(404, "POST", "/api/v1/generations/zip", {"ids": [one["id"]]})
        self.assertEqual(self.get("/api/v1/tags").json["items"], [])
        self.as_user("ben")
        self.assertEqual(self.get("/api/v1/tags").json["items"], [{"tag": "bens", "count": 1}])
        self.ask(204, "DELETE", one["url"])
        self.as_user("eva")
        self.problem(404, "POST", one["url"] + "/restore")
        answer = self.post("/api/v1/generations/batch", {"ids": [one["id"]], "action": "restore"})
        self.assertEqual(answer.json["changed"], [])
        self.as_user("anna")
        self.assertEqual(self.post(one["url"] + "/restore").json["id"], one["id"])
