"""Generations: ask for them, wait, list, change, cancel, retry, their recipes."""

import base64
import threading
import unittest
import urllib.parse
import uuid

from server import SMALL, ApiTest, need_backends, picture_size

setUpModule = need_backends
NOBODY = "00000000-0000-7000-8000-000000000000"


class Generate(ApiTest):
    def test_at_once(self):
        answer = self.post("/api/v1/generate", {**SMALL, "seed": 1000}, 202)
        one, = answer.json["generations"]
        self.assertEqual(answer.json["total"], 1)
        self.assertEqual(answer.headers["Location"], one["url"])
        self.assertIsNone(answer.headers["Preference-Applied"])
        uuid.UUID(one["id"])
        done = self.until(lambda: (g := self.get(one["url"]).json)["image"] and g)
        self.assertEqual(done["status"], "succeeded")

    def test_waiting_gives_finished_ones(self):
        answer = self.post("/api/v1/generate", {**SMALL, "seed": 1001, "tags": ["x"]}, 201,
                           headers={"Prefer": "respond-async, wait=30"})
        self.assertEqual(answer.headers["Preference-Applied"], "wait=30")
        one, = answer.json["generations"]
        for name, value in {"status": "succeeded", "prompt": "a red circle", "model": "demo",
                            "steps": 4, "seed": 1001, "width": 64, "height": 64, "reused": False,
                            "tags": ["x"], "error": None, "rating": None, "favourite": False,
                            "experiment_id": None, "cell": None, "progress": None,
                            "attempts": 1}.items():
            self.assertEqual(one[name], value, name)
        self.assertRegex(one["model_digest"], "^[0-9a-f]{64}$")
        self.assertEqual(one["parameters"]["seed"], 1001)
        self.assertEqual(one["parameters"]["sampler"], one["sampler"])
        self.assertGreater(one["generation_time"], 0)
        self.assertGreater(one["memory_used"], 0)
        self.assertGreater(one["measures"]["sharpness"], 0)
        self.assertEqual((one["image"]["width"], one["image"]["height"]), (64, 64))
        self.assertRegex(one["created_at"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertGreaterEqual(one["generated_at"], one["created_at"])

    def test_waiting_has_an_end(self):
        with self.paused_queue():
            answer = self.post("/api/v1/generate", {**SMALL, "seed": 1002}, 202,
                               headers={"Prefer": "wait=1"})
        self.assertEqual(answer.headers["Preference-Applied"], "wait=1")
        self.assertEqual(answer.json["generations"][0]["status"], "queued")

    def test_many_seeds(self):
        several = self.draw(seed=2000, count=3, steps=3)
        self.assertEqual([g["seed"] for g in several], [2000, 2001, 2002])
        alone = self.draw_one(seed=2001, steps=3)
        self.assertTrue(alone["reused"])
        self.assertEqual(alone["image"]["sha256"], several[1]["image"]["sha256"])
        self.assertNotEqual(several[0]["image"]["sha256"], several[1]["image"]["sha256"])

    def test_large_seeds(self):
        two = self.draw(seed=str(2**64 - 1), count=2)
        self.assertEqual([g["seed"] for g in two], [str(2**64 - 1), 0])
        self.assertEqual(self.draw_one(seed=2**53 - 1)["seed"], 2**53 - 1)
        self.assertEqual(self.draw_one(seed=2**53)["seed"], str(2**53))
        self.problem(422, "POST", "/api/v1/generate", {**SMALL, "seed": str(2**64)},
                     pointers=["/seed"])
        self.assertLess(self.draw_one(seed=-1)["seed"], 2**32)

    def test_names_of_other_programs(self):
        one = self.draw_one(sampler="DPM++ 2M Karras", seed=3)
        self.assertEqual((one["sampler"], one["schedule"]), ("dpmpp_2m", "karras"))

    def test_every_bad_field_is_named(self):
        self.problem(422, "POST", "/api/v1/generate",
                     {**SMALL, "steps": 0, "width": 65, "widht": 3, "count": 65, "seed": -2},
                     code="invalid",
                     pointers=["/steps", "/width", "/widht", "/count", "/seed"])
        # What only the model knows.
        self.problem(422, "POST", "/api/v1/generate",
                     {**SMALL, "sampler": "best", "eta": 0.5, "strength": 0.3},
                     pointers=["/sampler", "/strength"])
        self.problem(422, "POST", "/api/v1/generate", {"steps": 4}, pointers=["/prompt"])
        self.problem(400, "POST", "/api/v1/generate", b'{"prompt": ',
                     headers={"Content-Type": "application/json"})
        self.problem(415, "POST", "/api/v1/generate", b"prompt=x",
                     headers={"Content-Type": "application/x-www-form-urlencoded"})

    def test_a_model_that_is_not_installed(self):
        name = "stabilityai/stable-diffusion-xl-base-1.0"
        problem = self.problem(404, "POST", "/api/v1/generate",
                               {"prompt": "test generation", "model": name, "steps": 20},
                               code="model_not_found")
        self.assertIn("demo", problem["models"])
        self.assertIn("demo", problem["detail"])
        self.assertIn(f"cauldron models pull {name}", problem["detail"])

    def test_image_to_image(self):
        first = self.draw_one(seed=4000)
        png = self.get(first["image"]["url"]).body
        by_id = self.draw_one(seed=4001, init_image=first["id"], strength=0.5)
        by_bytes = self.draw_one(seed=4001, init_image=base64.b64encode(png).decode(), strength=0.5)
        by_url = self.draw_one(seed=4001, strength=0.5, init_image="data:image/png;base64,"
                               + base64.b64encode(png).decode())
        self.assertEqual(by_id["parameters"]["init_sha256"], first["image"]["sha256"])
        self.assertTrue(by_bytes["reused"] and by_url["reused"])
        self.assertNotEqual(by_id["image"]["sha256"], self.draw_one(seed=4001)["image"]["sha256"])
        masked = self.draw_one(seed=4001, init_image=first["id"], mask=first["id"], strength=0.5)
        self.assertEqual(masked["parameters"]["mask_sha256"], first["image"]["sha256"])

    def test_bad_pictures(self):
        for bad in ("not base64!", base64.b64encode(b"no picture").decode(), NOBODY,
                    "data:image/png,raw", "x"):
            with self.subTest(bad):
                self.problem(422, "POST", "/api/v1/generate", {**SMALL, "init_image": bad},
                             pointers=["/init_image"])
        first = self.draw_one(seed=4000)
        self.problem(422, "POST", "/api/v1/generate", {**SMALL, "mask": first["id"]},
                     pointers=["/mask"])

    def test_a_request_sent_twice_is_done_once(self):
        def send(key, status=202, wait=None, **parameters):
            headers = {"Idempotency-Key": key, **({"Prefer": f"wait={wait}"} if wait else {})}
            return self.post("/api/v1/generate", {**SMALL, "count": 2, **parameters}, status,
                             headers=headers).json

        first = send("one", seed=6000)
        again = send("one", 201, wait=30, seed=6000)
        self.assertEqual([g["id"] for g in again["generations"]],
                         [g["id"] for g in first["generations"]])
        self.assertEqual(again["total"], 2)
        self.assertEqual(send("one", 422, seed=6001)["code"], "idempotency_key_reused")
        other = send("two", seed=6000)
        self.assertNotEqual(other["generations"][0]["id"], first["generations"][0]["id"])
        # What was refused leaves the key free.
        self.assertEqual(send("three", 422, sampler="none")["code"], "invalid")
        send("three", seed=6002)
        self.assertEqual(send("x" * 256, 422)["code"], "invalid")
        for g in again["generations"]:
            self.ask(204, "DELETE", g["url"])
        send("one", 404, seed=6000)

    def test_many_at_once_with_one_key(self):
        answers = []

        def send():
            answers.append(self.server.ask("POST", "/api/v1/generate", {**SMALL, "seed": 6100},
                                           {"Idempotency-Key": "many"}))

        threads = [threading.Thread(target=send) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({a.status for a in answers}, {202, 409})
        ids = {a.json["generations"][0]["id"] for a in answers if a.status == 202}
        self.assertEqual(len(ids), 1)
        self.assertEqual(len(self.get("/api/v1/generations?seed=6100").json["items"]), 1)

    def test_batch_waits_for_interactive(self):
        with self.paused_queue():
            late = self.post("/api/v1/generate", {**SMALL, "seed": 5000, "priority": "batch"}, 202)
            soon = self.post("/api/v1/generate", {**SMALL, "seed": 5001}, 202)
            jobs = {j["recipe"]["seed"]: j for j in self.get("/api/v1/jobs").json["items"]}
            self.assertEqual(jobs[5000]["priority"], "batch")
            self.assertEqual(self.get(f"/api/v1/jobs/{jobs[5001]['id']}").json["position"], 0)
            self.assertEqual(self.get(f"/api/v1/jobs/{jobs[5000]['id']}").json["position"], 1)
        for answer in (late, soon):
            url = answer.json["generations"][0]["url"]
            self.until(lambda: self.get(url).json["image"])


class Lists(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = [
            cls.draw_one(cls(), seed=1, tags=["one", "odd"]),
            cls.draw_one(cls(), seed=2, steps=6, sampler="euler"),
            cls.draw_one(cls(), seed=3, prompt="a blue star", tags=["odd"]),
            cls.draw_one(cls(), seed=4, cfg_scale=3, sampler="euler", schedule="karras"),
            cls.draw_one(cls(), seed="18446744073709551614"),
        ]

    def listed(self, **query):
        path = "/api/v1/generations?" + urllib.parse.urlencode(query)
        return [self.made.index(next(m for m in self.made if m["id"] == g["id"]))
                for g in self.get(path).json["items"]]

    def test_filters(self):
        for query, want in (({}, [4, 3, 2, 1, 0]),
                            ({"sort": "created"}, [0, 1, 2, 3, 4]),
                            ({"model": "demo", "steps": 6}, [1]),
                            ({"steps_min": 5}, [1]), ({"steps_max": 5}, [4, 3, 2, 0]),
                            ({"sampler": "euler"}, [3, 1]), ({"sampler": "Euler"}, [3, 1]),
                            ({"schedule": "Karras"}, [3]), ({"cfg_scale": 3}, [3]),
                            ({"seed": "3"}, [2]), ({"seed": "003"}, [2]),
                            ({"seed": "18446744073709551614"}, [4]),
                            ({"q": "BLUE"}, [2]), ({"q": "circle red"}, [4, 3, 1, 0]),
                            ({"tag": "odd"}, [2, 0]), ({"tag": "none"}, []),
                            ({"status": "succeeded", "q": "star"}, [2]), ({"status": "failed"}, []),
                            ({"model": "nobody"}, []),
                            ({"created_after": self.made[3]["created_at"]}, [4, 3]),
                            ({"created_before": self.made[1]["created_at"]}, [0]),
                            ({"experiment_id": NOBODY}, []), ({"run_id": NOBODY}, [])):
            with self.subTest(query):
                self.assertEqual(self.listed(**query), want)
        self.assertEqual(self.listed(sort="steps")[-1], 1)
        self.assertEqual(len(self.listed(sort="time")), 5)

    def test_pages(self):
        for sort in ("-created", "created", "steps", "time", "-rating"):
            seen, cursor = [], None
            for _ in range(5):
                page = self.get(f"/api/v1/generations?limit=2&sort={sort}"
                                + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else "")).json
                seen += [g["id"] for g in page["items"]]
                cursor = page["next_cursor"]
                if not cursor:
                    break
            self.assertIsNone(cursor)
            self.assertEqual(sorted(seen), sorted(m["id"] for m in self.made), sort)
        self.problem(422, "GET", "/api/v1/generations?cursor=nonsense")

    def test_bad_queries(self):
        self.problem(422, "GET", "/api/v1/generations?limit=0&steps=x&colour=red",
                     pointers=["/limit", "/steps", "/colour"])

    def test_one(self):
        answer = self.get(self.made[0]["url"])
        self.assertEqual(answer.json, self.made[0])
        self.assertEqual(answer.headers["ETag"], self.get(self.made[0]["url"]).headers["ETag"])
        self.problem(404, "GET", f"/api/v1/generations/{NOBODY}", code="not_found")
        for bad in ("x", "..", "%00", "%ff"):
            self.assertIn(self.server.ask("GET", f"/api/v1/generations/{bad}").status,
                          (400, 404, 422), bad)

    def test_change(self):
        url = self.made[1]["url"]
        etag = self.get(url).headers["ETag"]
        changed = self.ask(200, "PATCH", url, {"rating": 4, "favourite": True, "tags": ["a", "b"]})
        self.assertEqual((changed.json["rating"], changed.json["favourite"],
                          sorted(changed.json["tags"])), (4, True, ["a", "b"]))
        self.assertNotEqual(self.get(url).headers["ETag"], etag)
        self.assertEqual(self.listed(rating_min=4), [1])
        self.assertEqual(self.listed(favourite="true"), [1])
        self.assertEqual(self.listed(sort="-rating")[0], 1)
        self.assertEqual(self.listed(tag="a"), [1])
        self.assertEqual(self.ask(200, "PATCH", url, {"tags": []}).json["rating"], 4)
        after = self.ask(200, "PATCH", url, {"rating": None, "favourite": False}).json
        self.assertIsNone(after["rating"])
        self.problem(422, "PATCH", url, {"rating": 6, "colour": 1},
                     pointers=["/rating", "/colour"])
        self.problem(404, "PATCH", f"/api/v1/generations/{NOBODY}", {"rating": 1})

    def test_recipe(self):
        answer = self.get(self.made[3]["url"] + "/recipe").json
        self.assertEqual(answer["recipe"], self.made[3]["parameters"])
        self.assertRegex(answer["text"], r"^a red circle\nSteps: 4, Sampler: Euler, Schedule type: "
                         r"Karras, CFG scale: 3, Seed: 4, Size: 64x64, Model hash: \w{10}, "
                         r"Model: demo, ")
        wanted = {name: answer["recipe"][name]
                  for name in ("prompt", "model", "sampler", "schedule", "steps", "cfg_scale",
                               "seed", "width", "height")}
        again = self.draw_one(**wanted)
        self.assertEqual(again["image"]["sha256"], self.made[3]["image"]["sha256"])
        self.ask(204, "DELETE", again["url"])
        self.problem(404, "GET", f"/api/v1/generations/{NOBODY}/recipe")

    def test_similar(self):
        items = self.get(self.made[0]["url"] + "/similar-recipes?limit=3").json["items"]
        self.assertEqual(len(items), 3)
        by_id = {i["generation"]["id"]: i["differs"] for i in items}
        self.assertNotIn(self.made[0]["id"], by_id)
        self.assertIn(["seed"], by_id.values())
        self.problem(404, "GET", f"/api/v1/generations/{NOBODY}/similar-recipes")


class Endings(ApiTest):
    def queued(self, seed):
        return self.post("/api/v1/generate", {**SMALL, "seed": seed}, 202).json["generations"][0]

    def test_cancel_delete_retry(self):
        with self.paused_queue():
            one = self.queued(1)
            self.problem(409, "DELETE", one["url"])
            self.problem(409, "POST", one["url"] + "/retry")
            gone = self.post(one["url"] + "/cancel").json
            self.assertEqual(gone["status"], "cancelled")
            self.assertEqual(self.post(one["url"] + "/cancel").json["status"], "cancelled")
            self.problem(410, "GET", one["url"] + "/image", code="cancelled")
            self.problem(410, "GET", one["url"] + "/thumbnail")
            again = self.post(one["url"] + "/retry", status=202).json
            self.assertEqual(again["status"], "queued")
        done = self.until(lambda: (g := self.get(one["url"]).json)["image"] and g)
        self.assertEqual(self.post(one["url"] + "/cancel").json["status"], "succeeded")
        self.ask(204, "DELETE", one["url"])
        self.problem(404, "GET", one["url"])
        self.problem(404, "DELETE", one["url"])
        # The picture is still there for whoever asks for the same.
        again = self.draw_one(seed=1)
        self.assertTrue(again["reused"])
        self.assertEqual(again["image"]["sha256"], done["image"]["sha256"])

    def test_a_deletion_is_taken_back(self):
        one = self.draw_one(seed=41, prompt="zebra under moonlight", tags=["striped"])
        self.problem(409, "POST", one["url"] + "/restore")
        self.ask(200, "PATCH", one["url"], {"rating": 5, "favourite": True})
        before = self.get(one["url"]).json
        self.ask(204, "DELETE", one["url"])
        for query in ("q=zebra", "tag=striped", "seed=41", "favourite=true", "sort=-rating"):
            found = self.get("/api/v1/generations?" + query).json["items"]
            self.assertNotIn(one["id"], [g["id"] for g in found], query)
        for method, path in (("GET", "/image"), ("GET", "/recipe"), ("GET", "/similar-recipes"),
                             ("POST", "/retry"), ("PATCH", "")):
            self.problem(404, method, one["url"] + path,
                         {"rating": 1} if method == "PATCH" else None)
        self.assertEqual(self.post(one["url"] + "/restore").json, before)
        for query in ("q=zebra", "tag=striped", "seed=41", "favourite=true", "sort=-rating"):
            found = self.get("/api/v1/generations?" + query).json["items"]
            self.assertIn(one["id"], [g["id"] for g in found], query)
        self.assertEqual(self.get(one["url"] + "/image").status, 200)
        self.problem(404, "POST", f"/api/v1/generations/{NOBODY}/restore")

    def test_not_yet_drawn(self):
        with self.paused_queue():
            one = self.queued(2)
            problem = self.problem(404, "GET", one["url"] + "/image", code="no_picture")
            self.assertEqual(problem["generation_status"], "queued")
            self.problem(404, "GET", one["url"] + "/thumbnail", code="no_picture")
            self.problem(422, "POST", "/api/v1/generate", {**SMALL, "init_image": one["id"]},
                         pointers=["/init_image"])

    def test_nobody(self):
        for method, path in (("POST", "retry"), ("POST", "cancel"), ("GET", "image"),
                             ("GET", "thumbnail")):
            self.problem(404, method, f"/api/v1/generations/{NOBODY}/{path}")

    def test_shared_picture(self):
        with self.paused_queue():
            one, two = self.queued(3), self.queued(3)
            self.assertEqual(self.post(one["url"] + "/cancel").json["status"], "cancelled")
        self.assertEqual(self.until(lambda: (g := self.get(two["url"]).json)["image"] and g)
                         ["status"], "succeeded")
        self.assertEqual(self.get(one["url"]).json["status"], "cancelled")

    def test_a_running_one(self):
        one = self.post("/api/v1/generate", {**SMALL, "seed": 4, "steps": 900, "width": 128,
                                             "height": 128, "sampler": "euler"},
                        202).json["generations"][0]
        running = self.until(lambda: (g := self.get(one["url"]).json)["progress"] and g)
        self.assertEqual(running["status"], "running")
        self.assertEqual(running["progress"]["steps"], 900)
        self.problem(409, "DELETE", one["url"])
        self.post(one["url"] + "/cancel")
        self.until(lambda: self.get(one["url"]).json["status"] == "cancelled")


class Owners(ApiTest):
    """Everybody sees and changes their own; what is somebody else's is not there."""

    users = tuple((name, role, "a long enough password")
                  for name, role in (("anna", "admin"), ("ben", "editor"), ("eva", "editor"),
                                     ("vic", "viewer")))

    def as_user(self, name):
        login = self.server.ask("POST", "/api/v1/login",
                                {"name": name, "password": "a long enough password"})
        self.assertEqual(login.status, 200)
        self.headers = {"Cookie": login.headers["Set-Cookie"].split(";")[0]}

    def test_own_things_only(self):
        self.as_user("ben")
        one = self.draw_one(seed=1)
        self.as_user("eva")
        paths = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/image"),
                 ("GET", "/thumbnail"), ("GET", "/recipe"), ("GET", "/similar-recipes"),
                 ("POST", "/cancel"), ("POST", "/retry")]
        for method, path in paths:
            self.problem(404, method, one["url"] + path,
                         {"rating": 1} if method == "PATCH" else None)
        self.assertEqual(self.get("/api/v1/generations?seed=1").json["items"], [])
        self.assertNotIn(1, [j["recipe"]["seed"] for j in self.get("/api/v1/jobs").json["items"]])
        self.problem(422, "POST", "/api/v1/generate", {**SMALL, "init_image": one["id"]},
                     pointers=["/init_image"])
        # The same picture is shared, the generation is not.
        mine = self.draw_one(seed=1)
        self.assertTrue(mine["reused"])
        self.assertNotEqual(mine["id"], one["id"])
        self.assertNotEqual(mine["user_id"], one["user_id"])
        similar = self.get(mine["url"] + "/similar-recipes").json["items"]
        self.assertNotIn(one["id"], [i["generation"]["id"] for i in similar])
        self.as_user("ben")
        job, = (j for j in self.get("/api/v1/jobs").json["items"] if j["recipe"]["seed"] == 1)
        self.as_user("eva")
        for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/cancel"), ("POST", "/requeue")):
            self.problem(404, method, f"/api/v1/jobs/{job['id']}{path}",
                         {"priority": "batch"} if method == "PATCH" else None)
        self.as_user("anna")
        self.assertEqual({g["id"] for g in self.get("/api/v1/generations?seed=1").json["items"]},
                         {one["id"], mine["id"]})
        self.get(one["url"])
        self.get(f"/api/v1/jobs/{job['id']}")

    def test_viewers_change_nothing(self):
        self.as_user("vic")
        self.get("/api/v1/generations")
        self.problem(403, "POST", "/api/v1/generate", SMALL)
        self.problem(403, "POST", "/api/v1/queue/pause")
        self.as_user("ben")
        self.problem(403, "POST", "/api/v1/queue/pause")

    def test_keys_of_requests_are_their_users(self):
        ids = []
        for name in ("ben", "eva"):
            self.as_user(name)
            answer = self.post("/api/v1/generate", {**SMALL, "seed": 2}, 202,
                               headers={"Idempotency-Key": "same"})
            ids.append(answer.json["generations"][0]["id"])
        self.assertNotEqual(*ids)


class Pictures(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one = cls.draw_one(cls(), seed=42, prompt="A red circle, \"left\" of it/blue!", width=128,
                               height=64)
        cls.image = cls.one["image"]["url"]
        cls.thumbnail = cls.one["image"]["thumbnail_url"]

    def test_as_stored(self):
        answer = self.get(self.image)
        self.assertEqual(answer.headers["Content-Type"], "image/png")
        self.assertEqual(answer.headers["ETag"], f"\"{self.one['image']['sha256']}\"")
        self.assertEqual(answer.headers["Content-Disposition"],
                         'inline; filename="A-red-circle-left-of-it-blue-42.png"')
        self.assertIn("immutable", answer.headers["Cache-Control"])
        self.assertEqual(len(answer.body), self.one["image"]["bytes"])
        self.assertEqual(picture_size(answer.body), ("png", 128, 64))
        self.assertIn(b"Steps: 4", answer.body)
        self.assertEqual(self.get(self.image + "?format=png&width=128").body, answer.body)

    def test_converted(self):
        for query, want in (("format=jpeg", ("jpeg", 128, 64)), ("format=webp", ("webp", 128, 64)),
                            ("width=64", ("png", 64, 32)), ("width=512", ("png", 512, 256)),
                            ("format=webp&width=257&quality=50", ("webp", 257, 129))):
            with self.subTest(query):
                first, second = (self.get(f"{self.image}?{query}") for _ in range(2))
                self.assertEqual(picture_size(first.body), want)
                self.assertEqual(first.headers["Content-Type"], f"image/{want[0]}")
                self.assertEqual(first.body, second.body)
                self.assertEqual(first.headers["ETag"], second.headers["ETag"])
                self.assertNotEqual(first.headers["ETag"], self.get(self.image).headers["ETag"])
        small, large = (len(self.get(f"{self.image}?format=jpeg&quality={q}").body)
                        for q in (5, 100))
        self.assertLess(small, large)
        # The recipe goes with the pixels.
        jpeg = self.get(f"{self.image}?format=jpeg").body
        self.assertIn("Steps: 4".encode("utf-16-be"), jpeg)

    def test_only_usual_forms_are_kept(self):
        def kept():
            return {p.name for p in (self.server.folder / "data").rglob("*") if p.is_file()
                    and self.one["image"]["sha256"] in p.name and "-w" in p.name}

        self.get(self.image + "?width=256&format=webp")
        self.assertTrue(any("-w256-" in name for name in kept()))
        self.get(self.image + "?width=255&format=webp")
        self.get(self.image + "?width=256&format=webp&quality=7")
        self.assertFalse(any("-w255-" in name or "-q7." in name for name in kept()))

    def test_thumbnails(self):
        self.assertEqual(picture_size(self.get(self.thumbnail + "?size=128").body)[0], "webp")
        for size, want in ((128, (128, 64)), (256, (128, 64)), (512, (128, 64))):
            answer = self.get(f"{self.thumbnail}?size={size}")
            self.assertEqual(picture_size(answer.body)[1:], want)  # never enlarged
        large = self.draw_one(seed=43, width=64, height=512, steps=1)
        answer = self.get(large["image"]["thumbnail_url"])
        self.assertEqual(picture_size(answer.body), ("webp", 32, 256))
        self.assertIn("immutable", answer.headers["Cache-Control"])
        self.ask(304, "GET", large["image"]["thumbnail_url"],
                 headers={"If-None-Match": answer.headers["ETag"]})

    def test_conditions_and_ranges(self):
        whole = self.get(self.image)
        etag = whole.headers["ETag"]
        answer = self.ask(304, "GET", self.image, headers={"If-None-Match": f'"other", {etag}'})
        self.assertEqual((answer.body, answer.headers["ETag"]), (b"", etag))
        self.get(self.image, headers={"If-None-Match": '"other"'})
        part = self.ask(206, "GET", self.image, headers={"Range": "bytes=8-15"})
        self.assertEqual(part.body, whole.body[8:16])
        self.assertEqual(part.headers["Content-Range"], f"bytes 8-15/{len(whole.body)}")
        self.assertEqual(self.ask(206, "GET", self.image, headers={"Range": "bytes=-4"}).body,
                         whole.body[-4:])
        self.get(self.image, headers={"Range": "bytes=8-15", "If-Range": '"other"'})
        self.problem(416, "GET", self.image, headers={"Range": "bytes=99999999-"})
        # Also of what is made on the way.
        odd = self.image + "?width=100&format=webp"
        self.assertEqual(self.ask(206, "GET", odd, headers={"Range": "bytes=0-3"}).body, b"RIFF")

    def test_head_and_download(self):
        head = self.ask(200, "HEAD", self.image)
        self.assertEqual(int(head.headers["Content-Length"]), self.one["image"]["bytes"])
        self.assertTrue(self.get(self.image + "?download=true")
                        .headers["Content-Disposition"].startswith("attachment; "))

    def test_bad_queries(self):
        self.problem(422, "GET", self.image + "?format=gif&width=1&quality=0",
                     pointers=["/format", "/width", "/quality"])
        self.problem(422, "GET", self.thumbnail + "?size=200", pointers=["/size"])


if __name__ == "__main__":
    unittest.main()
