"""The queue and its jobs: depth, places, priorities, pausing, cancelling, dead letters, workers."""

import pathlib
import shutil
import tempfile
import unittest

from server import SMALL, SOURCE, ApiTest, need_backends

setUpModule = need_backends
NOBODY = "00000000-0000-7000-8000-000000000000"


class Queue(ApiTest):
    def submit(self, **parameters):
        return self.post("/api/v1/generate", {**SMALL, **parameters},
                         202).json["generations"][0]

    def jobs(self, query=""):
        return self.get("/api/v1/jobs" + query).json["items"]

    def setUp(self):
        self.until(lambda: (q := self.get("/api/v1/queue").json)["queued"] + q["running"] == 0)

    def test_depth_and_pause(self):
        self.assertFalse(self.get("/api/v1/queue").json["paused"])
        with self.paused_queue():
            self.assertTrue(self.get("/api/v1/queue").json["paused"])
            for seed in range(3):
                self.submit(seed=seed)
            self.submit(seed=9, priority="batch")
            queue = self.get("/api/v1/queue").json
            self.assertEqual((queue["queued"], queue["running"]), (4, 0))
            self.assertEqual(queue["by_priority"], {"interactive": 3, "batch": 1})
            self.assertGreaterEqual(queue["oldest_seconds"], 0)
        self.until(lambda: self.get("/api/v1/queue").json["queued"] == 0)
        self.until(lambda: self.get("/api/v1/queue").json["running"] == 0)
        queue = self.get("/api/v1/queue").json
        self.assertIsNone(queue["oldest_seconds"])
        self.assertFalse(queue["paused"])

    def test_pausing_survives_a_restart(self):
        self.post("/api/v1/queue/pause")
        self.submit(seed=50)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        queue = self.get("/api/v1/queue").json
        self.assertEqual((queue["paused"], queue["queued"]), (True, 1))
        self.post("/api/v1/queue/resume")
        self.until(lambda: self.get("/api/v1/queue").json["queued"] == 0)

    def test_jobs(self):
        with self.paused_queue():
            for seed in (100, 101, 102):
                self.submit(seed=seed)
            waiting = self.jobs("?status=queued")
            by_seed = {j["recipe"]["seed"]: j["id"] for j in waiting}
            self.assertEqual(set(by_seed), {100, 101, 102})
            for place, seed in enumerate((100, 101, 102)):
                job = self.get(f"/api/v1/jobs/{by_seed[seed]}").json
                self.assertEqual((job["position"], job["status"], job["priority"], job["model"],
                                  job["attempts"], job["provider"], job["dead"]),
                                 (place, "queued", "interactive", "demo", 0, "native", False))
            url = f"/api/v1/jobs/{by_seed[100]}"
            changed = self.ask(200, "PATCH", url, {"priority": "batch"}).json
            self.assertEqual((changed["priority"], changed["position"]), ("batch", 2))
            self.assertEqual([j["id"] for j in self.jobs("?priority=batch&status=queued")], [by_seed[100]])
            self.assertEqual(self.ask(200, "PATCH", url, {"priority": "interactive"})
                             .json["position"], 0)
            self.problem(422, "PATCH", url, {"priority": "urgent"}, pointers=["/priority"])
            cancelled = self.post(f"/api/v1/jobs/{by_seed[102]}/cancel").json
            self.assertEqual((cancelled["status"], cancelled["position"]), ("cancelled", None))
            self.assertEqual(self.post(f"/api/v1/jobs/{by_seed[102]}/cancel").json["status"],
                             "cancelled")
        done = self.until(lambda: (j := self.get(url).json)["status"] == "succeeded" and j)
        self.assertEqual((done["attempts"], done["position"]), (1, None))
        self.assertTrue(done["started_at"] <= done["finished_at"])
        self.problem(409, "PATCH", url, {"priority": "batch"})
        self.problem(409, "POST", url + "/requeue")
        self.assertEqual(self.post(url + "/cancel").json["status"], "succeeded")
        gone = self.get("/api/v1/generations?seed=102").json["items"][0]
        self.assertEqual(gone["status"], "cancelled")

    def test_pages(self):
        with self.paused_queue():
            for seed in range(200, 205):
                self.submit(seed=seed)
            seen, cursor = [], ""
            while cursor is not None:
                page = self.get("/api/v1/jobs?status=queued&limit=2" + cursor).json
                seen += [j["id"] for j in page["items"]]
                cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
            self.assertEqual(len(seen), 5)
            self.assertEqual(len(set(seen)), 5)
        self.assertEqual(self.jobs(f"?run_id={NOBODY}"), [])
        self.assertEqual(self.jobs(f"?experiment_id={NOBODY}"), [])
        self.problem(422, "GET", "/api/v1/jobs?cursor=nonsense")
        self.problem(422, "GET", "/api/v1/jobs?status=asleep", pointers=["/status"])

    def test_nobody(self):
        for method, path, body in (("GET", "", None), ("PATCH", "", {"priority": "batch"}),
                                   ("POST", "/cancel", None), ("POST", "/requeue", None),
                                   ("DELETE", "", None)):
            self.problem(404, method, f"/api/v1/jobs/{NOBODY}{path}", body)

    def test_workers(self):
        worker, = self.until(lambda: self.get("/api/v1/workers").json["items"])
        self.assertTrue(worker["id"])
        self.assertEqual(worker["slots"], 1)
        self.assertEqual(self.get("/api/v1/queue").json["workers"], 1)


class DeadLetters(ApiTest):
    """A model whose weights go away between the request and the drawing."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="cauldron-models-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        shutil.copytree(SOURCE / "models" / "demo", cls.folder / "fragile")
        cls.models = cls.folder
        cls.options = ("--max-attempts", "1")
        super().setUpClass()

    def test_dead_and_requeued(self):
        weights = self.folder / "fragile" / "unet" / "diffusion_pytorch_model.safetensors"
        if not weights.exists():
            weights, = (self.folder / "fragile" / "unet").glob("*.safetensors")
        good = weights.read_bytes()
        with self.paused_queue():
            one = self.post("/api/v1/generate", {**SMALL, "model": "fragile"},
                            202).json["generations"][0]
            weights.write_bytes(good[:1000])
        dead = self.until(lambda: self.get("/api/v1/jobs/dead").json["items"])[0]
        self.assertEqual((dead["status"], dead["dead"]), ("failed", True))
        self.assertTrue(dead["error"]["message"])
        failed = self.get(one["url"]).json
        self.assertEqual(failed["status"], "failed")
        self.assertEqual(failed["error"], dead["error"])
        self.problem(404, "GET", one["url"] + "/image", code="no_picture")
        self.assertEqual(self.get("/api/v1/queue").json["dead"], 1)
        # Doors that wait say so.
        error = self.post("/v1/images/generations",
                          {"prompt": "x", "model": "fragile", "size": "64x64", "steps": 2}, 500)
        self.assertEqual(error.json["error"]["type"], "server_error")
        weights.write_bytes(good)
        again = self.post(f"/api/v1/jobs/{dead['id']}/requeue", status=202).json
        self.assertEqual((again["id"], again["dead"]), (dead["id"], False))
        done = self.until(lambda: (g := self.get(one["url"]).json)["image"] and g)
        self.assertEqual((done["status"], done["error"]), ("succeeded", None))

    def dead_jobs(self):
        return [j["id"] for j in self.get("/api/v1/jobs/dead").json["items"]]

    def test_dismissed(self):
        weights, = (self.folder / "fragile" / "unet").glob("*.safetensors")
        good = weights.read_bytes()
        with self.paused_queue():
            waiting = self.post("/api/v1/generate", {**SMALL, "model": "fragile", "seed": 5},
                                202).json["generations"][0]
            job, = self.get("/api/v1/jobs?status=queued").json["items"]
            self.problem(409, "DELETE", f"/api/v1/jobs/{job['id']}")
            weights.write_bytes(good[:1000])
        self.until(lambda: job["id"] in self.dead_jobs())
        count = self.get("/api/v1/queue").json["dead"]
        self.ask(204, "DELETE", f"/api/v1/jobs/{job['id']}")
        self.assertNotIn(job["id"], self.dead_jobs())
        self.assertEqual(self.get("/api/v1/queue").json["dead"], count - 1)
        after = self.get(f"/api/v1/jobs/{job['id']}").json
        self.assertEqual((after["status"], after["dead"]), ("failed", False))
        self.problem(409, "DELETE", f"/api/v1/jobs/{job['id']}")
        self.assertEqual(self.get(waiting["url"]).json["status"], "failed")
        weights.write_bytes(good)


class OldJobs(ApiTest):
    def test_they_go_and_what_they_drew_stays(self):
        drawn = self.draw_one(seed=1)
        with self.paused_queue():
            self.post("/api/v1/generate", {**SMALL, "seed": 2}, 202)
            cancelled, = self.get("/api/v1/jobs?status=queued").json["items"]
            self.post(f"/api/v1/jobs/{cancelled['id']}/cancel")
        self.assertEqual(len(self.get("/api/v1/jobs").json["items"]), 2)
        self.server.stop()
        self.server.options += ["--job-days", "0"]
        self.server.start()
        self.until(lambda: not self.get("/api/v1/jobs").json["items"])
        self.assertEqual(self.get(drawn["url"]).json["status"], "succeeded")
        self.get(drawn["image"]["url"])
        self.problem(404, "GET", f"/api/v1/jobs/{cancelled['id']}")


if __name__ == "__main__":
    unittest.main()
