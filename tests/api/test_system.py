"""Catalogue and system: what there is to draw with, and whether the server is well."""

import shutil
import subprocess
import unittest

from server import ApiTest, need_backends

setUpModule = need_backends


class Catalogue(ApiTest):
    def test_models(self):
        models = {m["name"]: m for m in self.get("/api/v1/models").json["items"]}
        self.assertLessEqual({"demo", "demo-xl"}, set(models))
        demo = models["demo"]
        self.assertEqual((demo["provider"], demo["architecture"], demo["format"], demo["width"],
                          demo["height"], demo["multiple"], demo["inpainting"], demo["problem"]),
                         ("native", "sd1", "folder", 128, 128, 8, False, None))
        self.assertGreater(demo["bytes"], 1_000_000)
        self.assertIn("euler", demo["defaults"]["samplers"])
        self.assertEqual([m["name"] for m in
                          self.get("/api/v1/models?architecture=SDXL&q=XL").json["items"]],
                         ["demo-xl"])
        self.assertEqual(self.get("/api/v1/models?q=nothing").json["items"], [])
        self.assertEqual(self.get("/api/v1/models/demo").json["name"], "demo")
        digest = self.get("/api/v1/models/demo/digest").json
        self.assertRegex(digest["digest"], "^[0-9a-f]{64}$")
        self.assertEqual(self.draw_one()["model_digest"], digest["digest"])
        names = [m["name"] for m in self.post("/api/v1/models/refresh").json["items"]]
        self.assertIn("demo", names)

    def test_models_that_are_not_there(self):
        for path in ("/api/v1/models/no%2Fbody", "/api/v1/models/no%2Fbody/digest"):
            problem = self.problem(404, "GET", path, code="model_not_found")
            self.assertIn("demo", problem["models"])

    def test_samplers_and_schedules(self):
        samplers = {s["name"]: s for s in self.get("/api/v1/samplers").json["items"]}
        self.assertEqual(len(samplers), 17)
        self.assertEqual(samplers["dpmpp_2m"]["label"], "DPM++ 2M")
        self.assertIn("karras", samplers["dpmpp_2m"]["schedules"])
        self.assertNotIn("karras", samplers["ddim"]["schedules"])
        self.assertEqual(samplers["heun"]["evaluations_per_step"], 2)
        self.assertTrue(samplers["ddim"]["uses_eta"])
        self.assertTrue(samplers["euler_ancestral"]["stochastic"])
        answer = self.get("/api/v1/schedules").json
        schedules = {s["name"]: s for s in answer["items"]}
        self.assertEqual(list(schedules),
                         ["model", "uniform", "karras", "exponential", "beta", "sgm_uniform"])
        self.assertEqual(answer["spacings"], ["model", "leading", "linspace", "trailing"])
        for name, sampler in samplers.items():
            for schedule in schedules:
                self.assertEqual(schedule in sampler["schedules"],
                                 name in schedules[schedule]["samplers"])

    def test_what_is_listed_is_drawn(self):
        for sampler in self.get("/api/v1/samplers").json["items"]:
            for schedule in sampler["schedules"]:
                self.draw(sampler=sampler["name"], schedule=schedule, seed=1)
        self.problem(422, "POST", "/api/v1/generate",
                     {"prompt": "x", "sampler": "ddim", "schedule": "karras"},
                     pointers=["/schedule"])

    def test_providers_and_hardware(self):
        provider, = self.get("/api/v1/providers").json["items"]
        self.assertEqual((provider["name"], provider["available"]), ("native", True))
        self.assertTrue(provider["version"])
        hardware = self.get("/api/v1/hardware").json
        self.assertGreater(hardware["cpu"]["cores"], 0)
        self.assertTrue(hardware["cpu"]["isa"])
        self.assertGreater(hardware["memory"]["total"], hardware["memory"]["available"])
        self.assertEqual(hardware["devices"][0]["name"], "cpu")


class System(ApiTest):
    def test_health(self):
        self.assertEqual(self.get("/healthz").json, {"status": "ok"})
        version = self.get("/version").json
        self.assertEqual((version["name"], version["api"]), ("cauldron", version["version"]))

    def test_ready(self):
        ready = self.get("/readyz").json
        self.assertEqual(ready["status"], "ok")
        self.assertEqual([c["name"] for c in ready["checks"]],
                         ["database", "queue", "pictures", "models"])

    def test_metrics(self):
        counted = 'cauldron_http_requests_total{route="generate",status="201"}'
        self.draw_one(seed=600)
        # A request is counted when its answer has gone, which may be after the client has it.
        self.until(lambda: counted in self.get("/metrics").body.decode())
        answer = self.get("/metrics")
        self.assertEqual(answer.headers["Content-Type"],
                         "text/plain; version=0.0.4; charset=utf-8")
        values = {}
        for line in answer.body.decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        for name in (counted, 'cauldron_db_connections{state="open"}', "cauldron_resident_bytes",
                     "cauldron_blob_free_bytes", "cauldron_start_time_seconds",
                     "cauldron_memory_free_bytes", "cauldron_steps_total",
                     "cauldron_db_queries_total", "cauldron_model_loads_total"):
            self.assertGreater(values[name], 0, name)
        for name in ('cauldron_queue_jobs{state="queued"}', 'cauldron_queue_jobs{state="dead"}',
                     "cauldron_queue_oldest_seconds", "cauldron_sockets",
                     'cauldron_bus_events_total{direction="dropped"}'):
            self.assertEqual(values[name], 0, name)
        self.assertIn('cauldron_worker_slots{state="busy"}', values)
        self.assertNotIn("red circle", answer.body.decode())
        if promtool := shutil.which("promtool"):
            done = subprocess.run([promtool, "check", "metrics"], input=answer.body, check=False,
                                  capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr.decode())


class LostStore(ApiTest):
    def test_not_ready(self):
        shutil.rmtree(self.server.folder / "data" / "blobs")
        answer = self.get("/readyz", 503)
        self.assertTrue(answer.headers["Retry-After"])
        self.assertEqual(answer.json["status"], "unavailable")
        bad, = (c for c in answer.json["checks"] if not c["ok"])
        self.assertEqual(bad["name"], "pictures")
        # Anybody may ask, so paths are for the log.
        self.assertNotIn(str(self.server.folder), answer.body.decode())
        self.get("/healthz")


class Strangers(ApiTest):
    users = (("anna", "admin", "a long enough password"),)

    def test_what_everybody_may_see(self):
        for path in ("/healthz", "/readyz", "/metrics", "/version"):
            self.get(path)
        for path in ("/api/v1/models", "/api/v1/queue", "/api/v1/generations"):
            self.problem(401, "GET", path)


if __name__ == "__main__":
    unittest.main()
