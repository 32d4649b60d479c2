"""Judging: blind pairs, votes that are sent again, scores per value."""

import math
import urllib.parse
import uuid

from server import ApiTest, need_backends

setUpModule = need_backends
BASE = {"model": "demo", "width": 64, "height": 64, "cfg_scale": 3}
NOBODY = "00000000-0000-7000-8000-000000000000"
PASSWORD = "a long enough password"
USERS = (("anna", "admin"), ("ben", "editor"), ("eva", "editor"), ("vic", "viewer"))


def spec(**more):
    return {"version": 1, "type": "parameter_sweep", "base": BASE,
            "prompts": ["a red circle", "a blue square"], "samplers": ["euler", "ddim", "heun"],
            "steps": [2, 3], **more}


def new_id():
    return str(uuid.uuid4())


class Judging(ApiTest):
    def run_it(self, document=None):
        x = self.post("/api/v1/experiments", {"spec": document or spec(), "start": True}, 201).json
        return self.until(lambda: (now := self.get(x["url"]).json)["status"] == "completed" and now)

    def pairs(self, x, query=""):
        return self.get(f"{x['url']}/pairs{query}").json

    def vote(self, pair, choice, status=201, **more):
        return self.post("/api/v1/votes", {
            "id": new_id(), "left": pair["left"]["generation_id"],
            "right": pair["right"]["generation_id"], "choice": choice, **more}, status).json

    def scores(self, x, query=""):
        answer = self.get(f"{x['url']}/scores{query}").json
        return answer, {a["name"]: {v["label"]: v for v in a["values"]} for a in answer["axes"]}


class Pairs(Judging):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.x = cls().run_it(spec(base={**BASE, "seed": 1}, replicates={"count": 2, "seed": 70}))

    def test_alike_but_for_settings(self):
        answer = self.pairs(self.x, "?limit=100")
        # Two prompts, two seeds, six settings of each.
        self.assertEqual((answer["remaining"], answer["judged"], len(answer["items"])), (60, 0, 60))
        cells = {c["id"]: c for c in self.get(self.x["url"] + "/grid").json["items"]}
        for pair in answer["items"]:
            left, right = (cells[pair[s]["generation_id"]] for s in ("left", "right"))
            self.assertEqual((left["prompt"], left["seed"]), (right["prompt"], right["seed"]))
            self.assertEqual(pair["prompt"], left["prompt"])
            self.assertEqual(pair["left"]["axes"], left["axes"])
            self.assertEqual(pair["right"]["image"], right["image"])
            self.assertEqual(set(pair["differs"]), {a for a in left["axes"]
                                                    if left["axes"][a] != right["axes"][a]})
            self.assertTrue(pair["differs"])

    def test_only_these_axes(self):
        answer = self.pairs(self.x, "?axes=sampler&limit=100&run=1")
        self.assertEqual(answer["remaining"], 2 * 2 * 2 * 3)
        self.assertEqual({tuple(p["differs"]) for p in answer["items"]}, {("sampler",)})
        self.assertEqual(len(self.pairs(self.x, "?axes=sampler,steps&limit=3")["items"]), 3)

    def test_bad_questions(self):
        url = self.x["url"] + "/pairs"
        self.problem(422, "GET", url + "?axes=colour")
        self.problem(422, "GET", url + "?axes=prompt")
        self.problem(422, "GET", url + "?limit=101", pointers=["/limit"])
        self.problem(404, "GET", url + "?run=9")
        self.problem(404, "GET", f"/api/v1/experiments/{NOBODY}/pairs")
        self.problem(404, "GET", f"/api/v1/experiments/{NOBODY}/scores")
        draft = self.post("/api/v1/experiments", {"spec": spec()}, 201).json
        self.problem(409, "GET", draft["url"] + "/pairs")
        answer, by_axis = self.scores(draft)
        self.assertEqual((answer["votes"], list(by_axis)), (0, ["sampler", "steps"]))

    def test_each_comes_once(self):
        x = self.run_it(spec(base={**BASE, "seed": 3}, prompts=["one star"]))
        seen = set()
        while (answer := self.pairs(x, "?limit=4"))["items"]:
            self.assertEqual(answer["remaining"], 15 - len(seen))
            for pair in answer["items"]:
                key = frozenset(pair[s]["generation_id"] for s in ("left", "right"))
                self.assertNotIn(key, seen)
                seen.add(key)
                self.vote(pair, "skip" if len(seen) % 3 else "tie")
        self.assertEqual((len(seen), answer["remaining"], answer["judged"]), (15, 0, 15))


class Votes(Judging):
    def test_sent_twice_counts_once(self):
        x = self.run_it(spec(base={**BASE, "seed": 5}))
        pair = self.pairs(x, "?limit=1")["items"][0]
        body = {"id": new_id(), "left": pair["left"]["generation_id"],
                "right": pair["right"]["generation_id"], "choice": "left", "seconds": 2.5,
                "voted_at": "2026-01-02T03:04:05Z"}
        first = self.post("/api/v1/votes", body, 201).json
        self.assertEqual((first["experiment_id"], first["seconds"], first["user_id"]),
                         (x["id"], 2.5, None))
        self.assertTrue(first["created_at"].startswith("2026-01-02T03:04:05"))
        self.assertEqual(self.post("/api/v1/votes", body, 200).json, first)
        self.problem(409, "POST", "/api/v1/votes", {**body, "choice": "right"})
        self.assertEqual(self.scores(x)[0]["votes"], 1)
        self.assertEqual(self.get(f"/api/v1/votes?experiment_id={x['id']}").json["items"], [first])
        self.assertEqual(self.pairs(x)["judged"], 1)
        self.ask(204, "DELETE", f"/api/v1/votes/{first['id']}")
        self.problem(404, "DELETE", f"/api/v1/votes/{first['id']}")
        self.assertEqual(self.scores(x)[0]["votes"], 0)
        future = self.post("/api/v1/votes", {**body, "voted_at": "2199-01-01T00:00:00Z"}, 201).json
        self.assertLess(future["created_at"], "2199")

    def test_what_is_no_pair(self):
        x = self.run_it(spec(base={**BASE, "seed": 6}))
        y = self.run_it(spec(base={**BASE, "seed": 6}))
        alone = self.draw_one(seed=6)
        cells = self.get(x["url"] + "/grid").json["items"]
        one = next(c for c in cells if c["prompt"] == "a red circle")
        other = next(c for c in cells if c["prompt"] != one["prompt"])
        elsewhere = next(c for c in self.get(y["url"] + "/grid").json["items"]
                         if c["prompt"] == one["prompt"] and c["axes"] != one["axes"])

        def refused(status, left, right):
            self.problem(status, "POST", "/api/v1/votes",
                         {"id": new_id(), "left": left, "right": right, "choice": "tie"})
        refused(404, one["id"], NOBODY)
        refused(422, one["id"], one["id"])
        refused(422, one["id"], other["id"])
        refused(422, one["id"], alone["id"])
        refused(422, one["id"], elsewhere["id"])
        self.problem(422, "POST", "/api/v1/votes", {"id": "x", "left": one["id"],
                                                    "right": other["id"], "choice": "both"},
                     pointers=["/id", "/choice"])

    def test_pages(self):
        x = self.run_it(spec(base={**BASE, "seed": 7}))
        made = [self.vote(p, "tie", voted_at=f"2026-01-01T00:00:{i // 2:02}Z")["id"]
                for i, p in enumerate(self.pairs(x, "?limit=7")["items"])]
        found, query = [], f"/api/v1/votes?experiment_id={x['id']}&limit=3"
        page = self.get(query).json
        while True:
            found += page["items"]
            if not page["next_cursor"]:
                break
            page = self.get(f"{query}&cursor={urllib.parse.quote(page['next_cursor'])}").json
        self.assertEqual({v["id"] for v in found}, set(made))
        self.assertEqual(len(found), 7)
        times = [v["created_at"] for v in found]
        self.assertEqual(times, sorted(times, reverse=True))
        self.problem(422, "GET", query + "&cursor=nonsense")


class Scores(Judging):
    def test_who_wins_is_stronger(self):
        x = self.run_it(spec(base={**BASE, "seed": 8}, samplers=["euler", "ddim", "heun", "lms"]))
        for pair in self.pairs(x, "?axes=sampler&limit=100")["items"]:
            sides = {pair[s]["axes"]["sampler"]: s for s in ("left", "right")}
            if "lms" in sides:
                continue
            order = ["heun", "euler", "ddim"]
            best = min(sides, key=order.index)
            self.vote(pair, "tie" if set(sides) == {"euler", "ddim"} else sides[best])
        answer, axes = self.scores(x)
        self.assertEqual((answer["votes"], answer["skipped"], answer["judges"]), (12, 0, 1))
        sampler = axes["sampler"]
        self.assertEqual([v["label"] for v in answer["axes"][0]["values"]][0], "heun")
        self.assertEqual(list(sampler)[-1], "lms")
        self.assertIsNone(sampler["lms"]["strength"])
        self.assertEqual((sampler["heun"]["wins"], sampler["heun"]["votes"]), (8, 8))
        self.assertEqual((sampler["ddim"]["ties"], sampler["ddim"]["losses"]), (4, 4))
        self.assertAlmostEqual(sampler["euler"]["strength"], sampler["ddim"]["strength"], 9)
        # heun has 2 s, the others -s: the maximum of 8 log logistic(3 s) - (4 + 1 + 1) s^2 / (2 * 4).
        s = sampler["heun"]["strength"] / 2
        self.assertAlmostEqual(24 / (1 + math.exp(3 * s)), 6 * s / 4, 6)
        self.assertAlmostEqual(sampler["heun"]["win_rate"], 1 / (1 + math.exp(-2 * s)), 9)
        for value in sampler.values():
            if value["strength"] is not None:
                self.assertLess(value["low"], value["strength"])
                self.assertGreater(value["high"], value["strength"])
        self.assertEqual(answer["axes"][1]["votes"], 0)
        self.assertIsNone(axes["steps"]["2"]["strength"])

    def test_a_deleted_experiments_votes_come_back(self):
        x = self.run_it(spec(base={**BASE, "seed": 9}))
        vote = self.vote(self.pairs(x, "?limit=1")["items"][0], "right")
        self.ask(204, "DELETE", x["url"] + "?generations=true")
        self.assertNotIn(vote["id"], [v["id"] for v in
                                      self.get("/api/v1/votes?limit=200").json["items"]])
        self.get(x["url"] + "/scores", 404)
        self.post(x["url"] + "/restore")
        self.assertEqual(self.scores(x)[0]["votes"], 1)


class Owners(Judging):
    users = tuple((name, role, PASSWORD) for name, role in USERS)

    def as_user(self, name):
        answer = self.server.ask("POST", "/api/v1/login", {"name": name, "password": PASSWORD})
        type(self).headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def test_own_votes_and_all(self):
        self.as_user("ben")
        x = self.run_it(spec(base={**BASE, "seed": 4}, prompts=["a star"], steps=[2]))
        self.assertEqual(self.pairs(x)["remaining"], 3)
        mine = self.vote(self.pairs(x)["items"][0], "left")
        pair = self.pairs(x)["items"][0]
        self.as_user("eva") # whose experiment it is not
        self.get(x["url"] + "/pairs", 404)
        self.vote(pair, "left", 404)
        self.problem(404, "DELETE", f"/api/v1/votes/{mine['id']}")
        self.as_user("anna") # sees everything, and is a judge of her own
        self.assertEqual((self.pairs(x)["remaining"], self.pairs(x)["judged"]), (3, 0))
        self.vote(pair, "tie")
        self.vote(pair, "skip")
        self.assertEqual([self.scores(x)[0][n] for n in ("votes", "skipped", "judges")], [2, 1, 2])
        answer = self.scores(x, "?by=me")[0]
        self.assertEqual([answer[n] for n in ("votes", "skipped", "judges")], [1, 1, 1])
        self.assertEqual(len(self.get("/api/v1/votes").json["items"]), 2)
        self.as_user("vic")
        self.problem(403, "POST", "/api/v1/votes", {"id": new_id(), "left": NOBODY,
                                                    "right": NOBODY, "choice": "tie"})
