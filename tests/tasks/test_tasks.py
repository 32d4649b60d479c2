"""Tasks from a dataset to storage, with the program alone: what is drawn, stored and written back,
what running again, changing and breaking things does."""

import hashlib
import json
import os
import sqlite3
import subprocess
import unittest

import workplace
from workplace import (PROGRAM, Folder, GcsBucket, S3Bucket, Workplace, document, md5, records,
                       servers, write_jsonl)

PNG = b"\x89PNG\r\n\x1a\n"


def setUpModule():
    if os.environ.get("CAULDRON_TEST_BACKENDS", "sqlite-memory") != "sqlite-memory":
        raise unittest.SkipTest("these run on SQLite; test_servers.py has the other backends")


class Disk(Workplace):
    """JSON Lines -> a folder, results into a file."""

    def setUp(self):
        super().setUp()
        self.source = self.folder / "prompts.jsonl"
        self.out = Folder(self.folder / "out")
        self.results = self.folder / "results.jsonl"

    def doc(self, rows, **more):
        write_jsonl(self.source, rows)
        return document("disk", {"type": "jsonl", "path": "prompts.jsonl"}, self.out.url,
                        results={"type": "jsonl", "path": "results.jsonl"}, **more)

    def occupy(self, row):
        """Somebody else's object has the name that this record's will have."""
        mine, self.storage = self.storage, ["--data", str(self.folder / "theirs")]
        write_jsonl(self.folder / "theirs.jsonl", [{**row, "prompt": "a yellow square"}])
        self.run_task(document("theirs", {"type": "jsonl", "path": "theirs.jsonl"}, self.out.url))
        self.storage = mine
        name = f"{row['id']}/{row['seed']}.png"
        return name, self.out.all()[name]

    def lines(self):
        return [json.loads(line) for line in self.results.read_text().splitlines()]

    def rows(self, sql):
        with sqlite3.connect(self.data / "cauldron.db") as db:
            return db.execute(sql).fetchall()

    def check(self, rows, objects=None):
        """Each record has its object, its recipe and its result, and there is nothing else."""
        found = self.out.all()
        expected = {f"{r['id']}/{r['seed']}{end}" for r in rows for end in (".png", ".json")}
        self.assertEqual(set(found), expected if objects is None else objects)
        results = self.lines()
        self.assertEqual([r["record_id"] for r in results], [r["id"] for r in rows])
        self.assertEqual(len({r["key"] for r in results}), len(rows))
        for r in results:
            self.assertEqual(r["status"], "succeeded")
            data = found[r["object"]]
            self.assertTrue(data.startswith(PNG))
            self.assertEqual(len(data), r["bytes"])
            self.assertEqual(hashlib.sha256(data).hexdigest(), r["checksums"]["sha256"])
            self.assertEqual(md5(data), r["checksums"]["md5"])
            beside = json.loads(found[r["object"][:-4] + ".json"])
            self.assertEqual(beside["recipe"], r["recipe"])
            self.assertEqual(beside["sha256"], r["checksums"]["sha256"])
        self.assertFalse(list(self.folder.glob("*.part")))
        return results


class OnDisk(Disk):
    def test_every_record(self):
        rows = records(25)
        report = self.run_task(self.doc(rows))
        self.assertEqual(report["status"], "completed")
        self.assertEqual(report["counts"]["succeeded"], 25)
        results = self.check(rows)
        for row, result in zip(rows, results):
            self.assertEqual(result["recipe"]["prompt"], row["prompt"])
            self.assertEqual(result["recipe"]["seed"], str(row["seed"]))

    def test_again_draws_and_sends_nothing(self):
        rows = records(10)
        doc = self.doc(rows)
        self.run_task(doc)
        before = {p: p.stat().st_mtime_ns for p in self.out.path.rglob("*")}
        jobs = self.rows("SELECT count(*) FROM jobs")
        report = self.run_task(doc)
        self.assertEqual((report["rounds"], report["known"], report["counts"]["succeeded"]),
                         (2, 10, 10))
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.out.path.rglob("*")}, before)
        self.assertEqual(self.rows("SELECT count(*) FROM jobs"), jobs)
        self.check(rows)

    def test_a_new_database_finds_the_objects(self):
        """The program forgot everything; what it stored before is the same, and stays."""
        rows = records(5)
        doc = self.doc(rows)
        self.run_task(doc)
        before = {p: p.stat().st_mtime_ns for p in self.out.path.rglob("*")}
        keys = [r["key"] for r in self.lines()]
        self.storage = ["--data", str(self.folder / "other")]
        self.data = self.folder / "other"
        self.results.unlink()
        self.run_task(doc)
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.out.path.rglob("*")}, before)
        self.assertEqual([r["key"] for r in self.check(rows)], keys)

    def test_another_object_is_never_overwritten(self):
        rows = records(3)
        name, theirs = self.occupy(rows[1])
        report = self.run_task(self.doc(rows), status=1)
        self.assertEqual(self.out.all()[name], theirs)
        self.assertEqual((report["counts"]["succeeded"], report["counts"]["failed"]), (2, 1))
        self.assertEqual(report["failures"][0]["class"], "conflict")
        failed, = [r for r in self.lines() if r["status"] == "failed"]
        self.assertEqual((failed["record_id"], failed["error"]["class"]), ("r0002", "conflict"))

    def test_replace_is_asked_for(self):
        rows = records(3)
        doc = self.doc(rows)
        doc["destination"]["if_exists"] = "replace"
        self.occupy(rows[1])
        self.run_task(doc)
        self.check(rows)

    def test_a_conflict_is_repaired_and_retried(self):
        rows = records(3)
        name, _ = self.occupy(rows[1])
        self.run_task(self.doc(rows), status=1)
        for end in ("png", "json"):
            (self.out.path / name).with_suffix("." + end).unlink()
        self.task("retry", "disk", "--json", "--quiet")
        self.check(rows)

    def test_changed_and_added_records(self):
        rows = records(6)
        doc = self.doc(rows)
        doc["destination"]["object"] = "{record_id}/{key8}.png"
        self.run_task(doc)
        rows[2]["prompt"] = "a green triangle"
        write_jsonl(self.source, rows + records(2, first=7))
        report = self.run_task(doc)
        self.assertEqual((report["known"], report["counts"]["succeeded"]), (5, 9))
        self.assertEqual(len(self.out.all()), 18)
        self.assertEqual(len([r for r in self.lines() if r["record_id"] == "r0003"]), 2)

    def test_equal_records_share_one_picture(self):
        rows = [{"id": name, "prompt": "a red circle", "seed": 5} for name in "abc"]
        self.run_task(self.doc(rows))
        self.check(rows)
        self.assertEqual(self.rows("SELECT count(*) FROM jobs"), [(1,)])

    def test_several_pictures_of_a_record(self):
        rows = records(4)
        report = self.run_task(self.doc(rows, count=3))
        self.assertEqual(report["counts"]["succeeded"], 12)
        self.assertEqual({n for n in self.out.all() if n.endswith(".png")},
                         {f"{r['id']}/{r['seed'] + i}.png" for r in rows for i in range(3)})

    def test_mapping_errors_name_record_and_field(self):
        rows = records(4)
        del rows[1]["prompt"]
        rows[2]["seed"] = "seven"
        doc = self.doc(rows)
        with self.source.open("a") as f:
            f.write("{not JSON\n")
        report = self.run_task(doc, status=1)
        self.assertEqual((report["counts"]["succeeded"], report["counts"]["failed"]), (2, 3))
        errors = {r["record_id"]: r["error"] for r in self.lines() if r["status"] == "failed"}
        self.assertEqual({e["class"] for e in errors.values()}, {"mapping"})
        self.assertIn("'r0002'", errors["r0002"]["message"])
        self.assertIn("'prompt'", errors["r0002"]["message"])
        self.assertIn("'seed'", errors["r0003"]["message"])
        self.assertEqual(len(self.rows("SELECT 1 FROM generations")), 2)
        rows[1]["prompt"] = "a red circle"
        rows[2]["seed"] = 3
        write_jsonl(self.source, rows)
        report = self.run_task(doc, status=1)  # what failed before is still in the books
        self.assertEqual(report["counts"]["succeeded"], 4)

    def test_a_window_smaller_than_the_dataset(self):
        rows = records(40)
        self.run_task(self.doc(rows, window=7))
        self.check(rows)

    def test_an_empty_dataset_is_done(self):
        report = self.run_task(self.doc([]))
        self.assertEqual((report["status"], report["counts"]["succeeded"]), ("completed", 0))

    def test_a_file_that_is_gone_fails_the_task_with_its_name(self):
        doc = self.doc(records(2))
        self.task("run", self.write(doc), "--detach")
        self.source.unlink()
        done = self.run_program("run", self.write(doc), "--quiet")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("prompts.jsonl", done.stdout + done.stderr)

    def test_killed_and_run_again(self):
        """Without servers: the same command goes on with what is left."""
        rows = records(120)
        doc = self.doc(rows)
        path = self.write(doc)
        for _ in range(3):
            process = subprocess.Popen(self.command("run", path, "--quiet", "--lease-seconds", 1),
                                       cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(1.2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        state = json.loads(self.task("status", "disk", "--json").stdout)
        if state["status"] == "running":
            self.task("resume", "disk", "--quiet", "--lease-seconds", 1)
        self.check(rows)
        self.assertEqual(self.rows("SELECT count(*), count(DISTINCT key) FROM generations"),
                         [(120, 120)])


class Canary(Disk):
    def test_a_sample_first_then_the_rest(self):
        rows = records(30)
        doc = self.doc(rows, canary={"count": 6, "by": ["prompt"]})
        self.task("run", self.write(doc), "--quiet")
        state = self.state("disk")
        self.assertEqual(state["status"], "awaiting_approval")
        self.assertEqual(self.out.all(), {})
        drawn = self.rows("SELECT g.seed, g.prompt, g.key FROM generations g JOIN experiment_runs r "
                          "ON g.run_id = r.id WHERE g.status = 'succeeded'")
        self.assertEqual(len(drawn), 6)
        by_seed = {str(r["seed"]): r["prompt"] for r in rows}
        for seed, prompt, _ in drawn:
            self.assertEqual(by_seed[str(seed)], prompt)
        self.assertEqual(len({prompt for _, prompt, _ in drawn}), 6)  # twelve strata, one each
        self.task("approve", "disk", "--quiet")
        self.check(rows)
        report = json.loads(self.task("report", "disk", "--json").stdout)
        self.assertEqual(report["reused"], 6)
        self.assertEqual(self.rows("SELECT count(*) FROM jobs"), [(30,)])

    def test_the_sample_is_the_same_each_time(self):
        keys = []
        for name in ("one", "two"):
            self.storage = ["--data", str(self.folder / name)]
            self.data = self.folder / name
            self.task("run", self.write(self.doc(records(40), canary={"count": 5, "seed": 3})),
                      "--quiet")
            keys.append(self.rows("SELECT key FROM generations ORDER BY key"))
        self.assertEqual(len(keys[0]), 5)
        self.assertEqual(keys[0], keys[1])

    def test_rejected(self):
        self.task("run", self.write(self.doc(records(10), canary={"count": 2})), "--quiet")
        self.task("reject", "disk")
        self.assertEqual(self.state("disk")["status"], "cancelled")
        self.assertEqual(self.out.all(), {})


class Captions(Disk):
    def test_pictures_are_described(self):
        rows = records(5)
        self.run_task(self.doc(rows))
        write_jsonl(self.folder / "pictures.jsonl",
                    [{"id": r["id"], "image": f"{self.out.url}/{r['id']}/{r['seed']}.png",
                      "hint": r["prompt"]} for r in rows])
        texts = Folder(self.folder / "texts")
        doc = {"version": 1, "name": "captions", "kind": "caption",
               "source": {"type": "jsonl", "path": "pictures.jsonl"},
               "destination": {"url": texts.url, "object": "{record_id}.{ext}", "recipe": False},
               "results": {"type": "jsonl", "path": "captions.jsonl"}}
        report = self.run_task(doc)
        self.assertEqual(report["counts"]["succeeded"], 5)
        self.assertEqual(len(texts.all()), 5)
        lines = [json.loads(x) for x in (self.folder / "captions.jsonl").read_text().splitlines()]
        self.assertEqual([x["record_id"] for x in lines], [r["id"] for r in rows])
        self.assertTrue(all(x["status"] == "succeeded" for x in lines))


class IntoS3(OnDisk):
    """A service that checks signatures."""

    def setUp(self):
        servers.S3.need()
        super().setUp()
        s3 = self.server(servers.S3)
        self.out = S3Bucket(s3)
        self.env |= {"AWS_ACCESS_KEY_ID": s3.key, "AWS_SECRET_ACCESS_KEY": s3.secret,
                     "AWS_REGION": s3.region, "AWS_ENDPOINT_URL_S3": s3.url}

    # What follows OnDisk tests for folders alone.
    test_a_file_that_is_gone_fails_the_task_with_its_name = None
    test_a_new_database_finds_the_objects = None
    test_again_draws_and_sends_nothing = None


class MongoToGcs(Workplace):
    """MongoDB -> Google Cloud Storage, results into MongoDB."""

    def setUp(self):
        servers.Mongo.need()
        servers.Gcs.need()
        super().setUp()
        self.mongo = self.server(servers.Mongo, memory=True)
        gcs = self.server(servers.Gcs)
        self.out = GcsBucket(gcs.url)
        servers.Mongo.packages()
        import pymongo  # noqa: PLC0415  (it lies in the tools' environment)
        self.db = pymongo.MongoClient(self.mongo.url)["shop"]
        self.addCleanup(self.db.client.close)
        self.env |= {"STORAGE_EMULATOR_HOST": gcs.url, "CAULDRON_CONNECTION_SHOP": self.mongo.url}

    def doc(self, **more):
        return document("mongo", {"type": "mongodb", "connection": "shop", "database": "shop",
                                  "collection": "products", "query": {"wanted": True}},
                        self.out.url,
                        **{"results": {"type": "mongodb", "collection": "results"}, **more})

    def fill(self, count):
        rows = records(count)
        self.db.products.insert_many([{"_id": r["id"], "prompt": r["prompt"], "seed": r["seed"],
                                       "wanted": i % 4 != 3} for i, r in enumerate(rows)])
        return [r for i, r in enumerate(rows) if i % 4 != 3]

    def check(self, rows):
        entries = self.out.entries()
        self.assertEqual(set(entries), {f"{r['id']}/{r['seed']}{end}" for r in rows
                                        for end in (".png", ".json")})
        results = list(self.db.results.find())
        self.assertEqual(sorted(r["record_id"] for r in results), [r["id"] for r in rows])
        for r in results:
            entry = entries[r["object"]]
            self.assertEqual((int(entry["size"]), entry["md5Hash"], entry["crc32c"]),
                             (r["bytes"], r["checksums"]["md5"], r["checksums"]["crc32c"]))
            data = self.out.read(r["object"])
            self.assertEqual(hashlib.sha256(data).hexdigest(), r["checksums"]["sha256"])
            self.assertEqual(r["urls"]["gs"], f"gs://pictures/{r['object']}")
            self.assertEqual(entry["metadata"]["cauldron-record"], r["record_id"])
        return results

    def test_every_record(self):
        rows = self.fill(24)
        self.run_task(self.doc())
        self.check(rows)
        self.run_task(self.doc())
        self.check(rows)

    def test_into_the_records_themselves(self):
        rows = self.fill(8)
        report = self.run_task(self.doc(results={"type": "record", "field": "image"}))
        self.assertEqual(report["counts"]["succeeded"], 6)
        for row in rows:
            image = self.db.products.find_one({"_id": row["id"]})["image"]
            self.assertEqual(image["status"], "succeeded")
            self.assertIn(image["object"], self.out.entries())

    def test_a_configuration_from_mongodb(self):
        self.db.configs.insert_many([
            {"name": "small", "version": v, "model": "demo",
             "parameters": {**workplace.SMALL, "steps": v}} for v in (1, 3)])
        rows = self.fill(4)
        doc = self.doc()
        doc["model"] = {"config": "small", "from": {"type": "mongodb", "connection": "shop",
                                                    "database": "shop", "collection": "configs"}}
        self.run_task(doc)
        self.assertEqual({r["recipe"]["steps"] for r in self.check(rows)}, {3})

    def test_mongodb_away_for_a_while(self):
        rows = self.fill(8)
        path = self.write(self.doc(window=2))
        self.task("run", path, "--detach")
        self.mongo.memory = True
        self.mongo.stop()
        process = subprocess.Popen(self.command("run", path, "--quiet"), cwd=self.folder,
                                   env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.kill)

        def waits():
            done = self.run_program("status", "mongo", "--json")
            return done.returncode == 0 and "MongoDB" in (
                (json.loads(done.stdout)["error"] or {}).get("message", ""))

        self.wait_for(waits)
        self.mongo.start()
        self.db.products.drop()
        self.fill(8)
        self.assertEqual(process.wait(120), 0, process.stdout.read())
        self.assertIsNone(self.state("mongo")["error"])
        self.check(rows)


if __name__ == "__main__":
    unittest.main()
