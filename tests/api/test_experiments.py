"""Experiments: create, plan, run, pause, cancel, retry, extend, clone, compare, analyse, export."""

import csv
import io
import json
import time
import urllib.parse

from server import ApiTest, need_backends, picture_size

setUpModule = need_backends
BASE = {"model": "demo", "width": 64, "height": 64, "seed": 5, "cfg_scale": 3}


def spec(**more):
    """Six cells: two samplers at three step counts."""
    return {"version": 1, "type": "convergence", "base": BASE, "prompts": ["a red circle"],
            "samplers": ["euler", "ddim"], "steps": [2, 3, 4], **more}


class Experiments(ApiTest):
    def create(self, document=None, **more):
        return self.post("/api/v1/experiments", {"spec": document or spec(), **more}, 201).json

    def act(self, x, action, status=200, body=None):
        return self.post(f"{x['url']}/{action}", body, status).json

    def ended(self, x, seconds=60):
        """When its newest run has ended."""
        return self.until(lambda: (now := self.get(x["url"]).json)["status"]
                          in ("completed", "failed", "cancelled") and now, seconds)

    def run_it(self, document=None):
        x = self.create(document)
        self.act(x, "start", 202)
        return self.ended(x)

    def grid(self, x, query=""):
        return self.get(f"{x['url']}/grid{query}").json


class Drafts(Experiments):
    def test_created_listed_changed_and_deleted(self):
        x = self.create(name="first")
        self.assertEqual((x["name"], x["status"], x["type"], x["runs"], x["run"]),
                         ("first", "draft", "convergence", 0, None))
        self.assertEqual(x["config"], spec())
        found = self.get("/api/v1/experiments?q=firs&status=draft&type=convergence").json["items"]
        self.assertEqual([f["id"] for f in found], [x["id"]])
        changed = self.ask(200, "PATCH", x["url"], {"name": "second", "spec": spec(steps=[2])}).json
        self.assertEqual((changed["name"], changed["config"]["steps"]), ("second", [2]))
        self.assertEqual(self.get(x["url"] + "/spec").json, spec(steps=[2]))
        copy = self.act(x, "clone", 201, {})
        self.assertEqual((copy["name"], copy["status"]), ("second (copy)", "draft"))
        self.ask(204, "DELETE", x["url"])
        self.get(x["url"], 404)

    def test_nothing_happens_before_the_start(self):
        x = self.create()
        for action in ("pause", "resume", "cancel", "retry"):
            self.post(f"{x['url']}/{action}", None, 409)
        self.get(x["url"] + "/analysis", 409)
        self.get(x["url"] + "/export", 409)

    def test_every_problem_has_its_place(self):
        bad = {"version": 1, "type": "convergence", "base": {"model": "demo", "stps": 3},
               "samplers": ["euler"], "steps": "10..5 by", "budget": {"cells": 0}}
        problem = self.problem(422, "POST", "/api/v1/experiments/plan", bad)
        places = {e["pointer"] for e in problem["errors"]}
        self.assertIn("/base/stps", places)
        self.assertTrue(any(p.startswith("/budget") for p in places), places)
        self.problem(422, "POST", "/api/v1/experiments", {"spec": bad})

    def test_too_many_cells_are_refused_before_they_are_made(self):
        huge = spec(steps={"from": 1, "to": 1000, "step": 1}, prompts=[f"p{i}" for i in range(999)],
                    replicates={"count": 999})
        start = time.monotonic()
        self.post("/api/v1/experiments/plan", huge, 422)
        self.assertLess(time.monotonic() - start, 5)


class Plans(Experiments):
    def test_dry_run(self):
        document = spec(base={**BASE, "seed": 98}, schedules=["model", "exponential"],
                        samplers=["euler", "euler_ancestral"],
                        constraints=[{"where": {"sampler": "euler", "steps": 3}, "drop": True,
                                      "reason": "not wanted"},
                                     {"where": {"sampler": "euler"}, "require": {"steps": {"min": 3}},
                                      "reason": "euler is slow to start"}])
        plan = self.post("/api/v1/experiments/plan?cells=2", document).json
        self.assertEqual((plan["cells"], plan["dropped"], plan["to_draw"]), (10, 2, 5))
        reasons = {r["reason"]: r["cells"] for r in plan["impossible_reasons"]}
        self.assertEqual(reasons.pop("euler is slow to start"), 2)
        (illegal, cells), = reasons.items() # the model's sampler has no such schedule
        self.assertIn("with sampler euler_ancestral", illegal)
        self.assertEqual(cells, 3)
        self.assertEqual(len(plan["preview"]), 2)
        self.assertEqual([a["name"] for a in plan["axes"]], ["prompt", "sampler", "schedule", "steps"])
        self.assertNotIn(98, [x["config"].get("base", {}).get("seed") for x in
                              self.get("/api/v1/experiments").json["items"]])

    def test_what_exists_is_not_drawn_again(self):
        document = spec(base={**BASE, "seed": 99})
        self.assertEqual(self.post("/api/v1/experiments/plan", document).json["to_draw"], 6)
        self.draw_one(seed=99, steps=3, sampler="euler", model="demo", cfg_scale=3,
                      prompt="a red circle")
        plan = self.post("/api/v1/experiments/plan", document).json
        self.assertEqual((plan["existing"], plan["to_draw"]), (1, 5))
        self.assertGreater(plan["estimated_seconds"], 0)
        self.assertGreater(plan["estimated_bytes"], 0)
        self.assertGreaterEqual(plan["samples"], 1)
        done = self.run_it(document)
        self.assertEqual((done["run"]["completed"], done["run"]["reused"]), (6, 1))
        self.assertEqual(self.post("/api/v1/experiments/plan", document).json["to_draw"], 0)

    def test_a_base_from_a_generation(self):
        one = self.draw_one(seed=31, prompt="two green stars")
        document = {"version": 1, "type": "cfg", "base_generation": one["id"],
                    "cfg_scales": [1, 3]}
        done = self.run_it(document)
        cells = self.grid(done)["items"]
        self.assertEqual({c["prompt"] for c in cells}, {"two green stars"})
        self.assertEqual({c["cfg_scale"] for c in cells}, {1, 3})
        self.assertEqual({c["seed"] for c in cells}, {31})
        self.ask(204, "DELETE", one["url"]) # the run stays readable
        self.assertEqual(len(self.grid(done)["items"]), 2)
        self.get(done["url"] + "/analysis")


class Runs(Experiments):
    def test_it_ends_and_every_cell_is_there_once(self):
        done = self.run_it(spec(base={**BASE, "seed": 11}))
        run = done["run"]
        self.assertEqual((done["status"], run["total"], run["completed"], run["failed"]),
                         ("completed", 6, 6, 0))
        self.assertIsNotNone(run["finished_at"])
        grid = self.grid(done)
        self.assertEqual([c["cell"] for c in grid["items"]], list(range(6)))
        self.assertEqual([c["axes"]["steps"] for c in grid["items"]], [2, 3, 4, 2, 3, 4])
        self.assertEqual([a["name"] for a in grid["axes"]], ["prompt", "sampler", "steps"])
        for cell in grid["items"]:
            self.assertEqual(cell["status"], "succeeded")
            self.assertEqual(picture_size(self.get(cell["image"]["url"]).body)[1:], (64, 64))
        first = self.grid(done, "?limit=4")
        rest = self.grid(done, f"?limit=4&cursor={urllib.parse.quote(first['next_cursor'])}")
        self.assertEqual([c["cell"] for c in first["items"] + rest["items"]], list(range(6)))
        self.assertIsNone(rest["next_cursor"])

    def test_impossible_cells_stand_in_the_grid(self):
        done = self.run_it(spec(base={**BASE, "seed": 12}, samplers=["euler", "lcm"],
                                constraints=[{"where": {"sampler": "lcm"},
                                              "require": {"steps": {"max": 3}},
                                              "reason": "lcm is for few steps"}]))
        self.assertEqual((done["status"], done["run"]["impossible"]), ("completed", 1))
        cell = next(c for c in self.grid(done)["items"] if c["status"] == "impossible")
        self.assertIn("lcm is for few steps", cell["error"]["message"])
        self.assertIsNone(cell["image"])

    def test_pause_resume_and_cancel(self):
        x = self.create(spec(base={**BASE, "seed": 13}, steps={"from": 2, "to": 60, "step": 1}))
        self.act(x, "start", 202)
        self.post(f"{x['url']}/start", None, 409)
        self.assertEqual(self.act(x, "pause")["status"], "paused")
        self.ask(409, "DELETE", x["url"])
        self.until(lambda: self.get("/api/v1/queue").json["running"] == 0)
        before = self.get(x["url"]).json["run"]["completed"]
        time.sleep(0.7)
        self.assertEqual(self.get(x["url"]).json["run"]["completed"], before)
        self.assertLess(before, 118)
        self.act(x, "resume")
        self.until(lambda: self.get(x["url"]).json["run"]["completed"] > before)
        cancelled = self.act(x, "cancel")
        self.assertEqual(cancelled["status"], "cancelled")
        run = self.until(lambda: (r := self.get(x["url"]).json["run"])["completed"]
                         + r["cancelled"] == 118 and r)
        self.assertGreater(run["cancelled"], 0)
        self.until(lambda: self.get("/api/v1/queue").json["queued"] == 0)
        taken_back = self.act(x, "retry", 202)
        self.assertEqual((taken_back["status"], taken_back["run"]["cancelled"]), ("running", 0))
        self.act(x, "cancel")
        self.until(lambda: self.get("/api/v1/queue").json["queued"] == 0)

    def test_starting_again_is_a_run_to_compare_with(self):
        x = self.run_it(spec(base={**BASE, "seed": 14}))
        again = self.ended(self.act(x, "start", 202))
        self.assertEqual((again["runs"], again["run"]["number"]), (2, 2))
        self.assertEqual(again["run"]["reused"], 6)
        runs = self.get(x["url"] + "/runs").json["items"]
        self.assertEqual([r["number"] for r in runs], [2, 1])
        self.assertEqual(self.get(x["url"] + "/runs/1").json["reused"], 0)
        self.get(x["url"] + "/runs/3", 404)
        compared = self.get(x["url"] + "/compare?run=1&with=2").json
        self.assertEqual((compared["identical"], compared["different"], compared["unpaired"]),
                         (6, 0, 0))

    def test_longer_by_values_and_seeds(self):
        x = self.run_it(spec(base={**BASE, "seed": 15}))
        kept = {(c["axes"]["sampler"], c["axes"]["steps"]): c for c in self.grid(x)["items"]}
        rated = kept["euler", 3]
        self.ask(200, "PATCH", rated["url"], {"rating": 5})
        self.act(x, "extend", 202, {"axes": [{"parameter": "steps", "values": [5]}],
                                    "prompts": ["a blue square"]})
        longer = self.ended(x)
        self.assertEqual((longer["runs"], longer["run"]["total"], longer["run"]["completed"]),
                         (1, 16, 16))
        cells = self.grid(longer)["items"]
        self.assertEqual([c["cell"] for c in cells], list(range(16)))
        for cell in cells:
            if cell["axes"]["prompt"] == "a red circle" and cell["axes"]["steps"] < 5:
                former = kept[cell["axes"]["sampler"], cell["axes"]["steps"]]
                self.assertEqual(cell["id"], former["id"])
        self.assertEqual(next(c for c in cells if c["id"] == rated["id"])["rating"], 5)
        self.act(x, "extend", 202, {"replicates": 2})
        self.assertEqual(self.ended(x)["run"]["total"], 32)

    def test_deleted_with_or_without_its_pictures(self):
        x = self.run_it(spec(base={**BASE, "seed": 16}))
        one = self.grid(x)["items"][0]
        self.post(x["url"] + "/restore", None, 409)
        self.ask(204, "DELETE", x["url"])
        kept = self.get(one["url"]).json
        self.assertIsNone(kept["experiment_id"])
        y = self.run_it(spec(base={**BASE, "seed": 17}))
        other = self.grid(y)["items"][0]
        self.ask(204, "DELETE", y["url"] + "?generations=true")
        self.get(other["url"], 404)
        for gone in (x, y):
            for method, path in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("GET", "/grid"),
                                 ("POST", "/start"), ("GET", "/runs")):
                self.ask(404, method, gone["url"] + path,
                         {"name": "x"} if method == "PATCH" else None)
            self.assertNotIn(gone["id"], [i["id"] for i in
                                          self.get("/api/v1/experiments?limit=200").json["items"]])

    def test_a_deletion_is_taken_back(self):
        for query in ("", "?generations=true"):
            x = self.run_it(spec(base={**BASE, "seed": 26}))
            before = self.grid(x)
            rated = before["items"][2]
            self.ask(200, "PATCH", rated["url"], {"rating": 3, "tags": ["kept"]})
            before = self.grid(x)
            self.ask(204, "DELETE", x["url"] + query)
            found = self.get("/api/v1/generations?limit=200&seed=26").json["items"]
            self.assertEqual({g["experiment_id"] for g in found}, set() if query else {None})
            back = self.act(x, "restore")
            self.assertEqual((back["status"], back["run"]), (x["status"], x["run"]))
            self.assertEqual(self.grid(x), before)
            self.post(x["url"] + "/restore", None, 409)
            # Cells are still cells; then it goes for good, so that the next round begins anew.
            self.problem(409, "DELETE", rated["url"])
            self.ask(204, "DELETE", x["url"] + "?generations=true")
            self.problem(409, "POST", rated["url"] + "/restore")

    def test_a_cell_that_was_deleted_after_its_experiment(self):
        x = self.run_it(spec(base={**BASE, "seed": 27}))
        one = self.grid(x)["items"][1]
        self.ask(204, "DELETE", x["url"])
        self.ask(204, "DELETE", one["url"])
        self.act(x, "restore")
        self.assertEqual([c["cell"] for c in self.grid(x)["items"]], list(range(6)))
        self.assertEqual(self.get(one["url"]).json["cell"], 1)

    def test_start_at_once(self):
        x = self.create(spec(base={**BASE, "seed": 18}), start=True)
        self.assertEqual(self.ended(x)["run"]["completed"], 6)


class Results(Experiments):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.done = cls().run_it(spec(base={**BASE, "seed": 21}, steps=[2, 4, 8, 16, 32],
                                     replicates={"count": 2, "seed": 50}))

    def test_grid_with_measures(self):
        plain = self.grid(self.done)
        self.assertEqual(plain["unmeasured"], 0)
        self.assertNotIn("ssim", plain["items"][0]["measures"])
        grid = self.grid(self.done, "?measures=true")
        self.assertEqual(grid["unmeasured"], 0)
        for before, cell in zip(plain["items"], grid["items"]):
            measures = cell.pop("measures")
            for name, value in before.pop("measures").items():
                self.assertAlmostEqual(measures.pop(name), value)
            self.assertEqual(cell, before)
            last, first = cell["axes"]["steps"] == 32, cell["axes"]["steps"] == 2
            self.assertEqual(set(measures), (set() if last else {"ssim", "psnr"})
                             | (set() if first else {"ssim_neighbour", "psnr_neighbour"}))
        page = self.grid(self.done, "?measures=true&limit=3")
        self.assertEqual([c["id"] for c in page["items"]], [c["id"] for c in grid["items"][:3]])
        rows = csv.DictReader(io.StringIO(self.get(self.done["url"] + "/export").body.decode()))
        by_id = {row["generation"]: row for row in rows}
        for cell in self.grid(self.done, "?measures=true")["items"]:
            if "ssim" in cell["measures"]:
                self.assertAlmostEqual(cell["measures"]["ssim"], float(by_id[cell["id"]]["ssim"]), 3)

    def test_analysis(self):
        x = self.get(self.done["url"] + "/analysis").json
        self.assertEqual((x["type"], x["measure"], x["cells"]), ("convergence", "ssim", 20))
        self.assertEqual(len(x["curves"]), 2)
        for curve in x["curves"]:
            values = [p["y"]["mean"] for p in curve["points"] if not p["reference"]]
            self.assertEqual(len(values), 4)
            self.assertGreater(values[-1], values[0])
            self.assertEqual({p["y"]["n"] for p in curve["points"] if not p["reference"]}, {2})
        self.assertTrue(x["importance"])
        self.assertTrue(x["ranking"])
        for measure in ("psnr", "sharpness", "contrast", "colourfulness", "seconds"):
            again = self.get(f"{self.done['url']}/analysis?measure={measure}").json
            self.assertEqual(again["measure"], measure)
        self.get(self.done["url"] + "/analysis?measure=beauty", 422)

    def test_another_reference(self):
        cells = self.grid(self.done)["items"]
        chosen = next(c for c in cells if c["axes"]["steps"] == 16)
        x = self.get(f"{self.done['url']}/analysis?reference={chosen['id']}").json
        self.assertEqual(x["reference"], {"axis": "steps", "value": "16"})
        self.get(self.done["url"] + "/analysis?reference=nonsense", 422)

    def test_exports(self):
        table = self.get(self.done["url"] + "/export?format=csv")
        self.assertIn("attachment", table.headers["Content-Disposition"])
        rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"))))
        self.assertEqual(len(rows), 20)
        self.assertEqual(len(json.loads(self.get(self.done["url"] + "/export?format=json").body)
                             ["cells"]), 20)
        self.assertEqual(picture_size(self.get(self.done["url"] + "/export?format=png").body)[0],
                         "png")
        html = self.get(self.done["url"] + "/export?format=html").body.decode()
        self.assertEqual(html.count("data:image/webp;base64,"), 20)
        for outside in ("http://", "https://", "src=\"/"):
            self.assertNotIn(outside, html.replace("http://www.w3.org/", ""))
