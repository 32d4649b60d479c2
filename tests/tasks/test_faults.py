"""A task from MongoDB to Google Cloud Storage while everything breaks: processes are killed (kill
-9), storage answers 503 and cuts connections, MongoDB is restarted, nobody takes callbacks for a
while. In the end every record has exactly one verified object and one result, every callback has
arrived, each event under one id, and nothing else is left behind.

CAULDRON_FAULT_RECORDS is how many records there are (default 150; 1000 takes some minutes),
CAULDRON_FAULT_SEED what happens when (the moments themselves are the machine's)."""

import collections
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
import unittest

from workplace import PROGRAM, GcsBucket, Workplace, document, md5, records, servers

from faulty import FaultyProxy  # tests/fakes
from receiver import Receiver

RECORDS = int(os.environ.get("CAULDRON_FAULT_RECORDS", "150"))
SEED = int(os.environ.get("CAULDRON_FAULT_SEED", "11"))
SECRET = "whsec_" + "c2hhZG93IGNhdWxkcm9uIGZhdWx0cyB0ZXN0IQ=="
STORAGE_FAULTS = {"refuse": 0.03, "cut_request": 0.015, "cut_answer": 0.015, "half_answer": 0.01,
                  "reset": 0.01, "slow": 0.01}
BREAKS = max(20, RECORDS // 12)  # at most; what is left then ends in peace
BATCH = 20


def setUpModule():
    servers.Mongo.need()
    servers.Gcs.need()


class Process:
    """A server or a worker that is started again after it was killed."""

    def __init__(self, words, **where):
        self.words = words
        self.where = where
        self.kills = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, **self.where)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.kills += 1
        self.start()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Faults(Workplace):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.postgres = self.server(servers.Postgres)
        self.redis = self.server(servers.Redis)
        self.mongo = self.server(servers.Mongo)
        gcs = self.server(servers.Gcs)
        self.out = GcsBucket(gcs.url)
        self.proxy = FaultyProxy("127.0.0.1", gcs.port, rates=STORAGE_FAULTS, seed=SEED)
        self.proxy.start()
        self.addCleanup(self.proxy.stop)
        self.receiver = Receiver(secret=SECRET)
        self.addCleanup(self.receiver.close)
        servers.Mongo.packages()
        import pymongo  # noqa: PLC0415  (it lies in the tools' environment)
        self.db = pymongo.MongoClient(self.mongo.url, serverSelectionTimeoutMS=60000)["shop"]
        self.addCleanup(self.db.client.close)
        self.storage += ["--database", self.postgres.url, "--redis", self.redis.url,
                         "--lease-seconds", "2"]
        self.env |= {"STORAGE_EMULATOR_HOST": self.proxy.url,
                     "CAULDRON_CONNECTION_SHOP": self.mongo.url, "CAULDRON_SECRET_HOOK": SECRET,
                     "CAULDRON_CALLBACKS_PRIVATE": "on"}
        self.counts = collections.Counter()

    def begin_processes(self):
        log = (self.folder / "log").open("ab")
        self.addCleanup(log.close)
        where = {"env": self.env, "cwd": self.folder, "stdout": log, "stderr": log}
        common = ["--log-format", "json", "--log-level", "warning", *self.storage]
        serve = [PROGRAM, "serve", "--port", "0", "--no-draw", "--mdns", "off", "--quiet", *common]
        work = [PROGRAM, "worker", "--threads", "1", *common]
        self.processes = [Process(words, **where) for words in (serve, work)]
        # The others begin when the schema is there.
        self.wait_for(lambda: self.sql("SELECT count(*) FROM information_schema.tables "
                                       "WHERE table_name = 'callbacks'") == [("1",)])
        self.processes += [Process(words, **where) for words in (serve, work)]
        self.addCleanup(lambda: [p.end() for p in self.processes])

    def sql(self, text):
        done = subprocess.run(["psql", "-qAtF", "|", self.postgres.url, "-c", text], check=True,
                              text=True, capture_output=True)
        return [tuple(line.split("|")) for line in done.stdout.splitlines()]

    def doc(self):
        return document(
            "faults", {"type": "mongodb", "connection": "shop", "database": "shop",
                       "collection": "products"}, self.out.url,
            results={"type": "mongodb", "collection": "results"}, window=60,
            callbacks={"url": self.receiver.url, "secret": "hook", "on": ["record", "batch", "end"],
                       "batch": BATCH, "allow_private": True})

    # ---- what breaks ----

    def break_something(self):
        what = self.random.choice(["process"] * 6 + ["storage", "mongo"])
        if what == "process":
            one = self.random.randrange(len(self.processes))
            self.counts["killed server" if one % 2 == 0 else "killed worker"] += 1
            self.processes[one].kill()
        elif what == "storage":
            self.counts["storage away"] += 1
            self.proxy.down = True
            time.sleep(2)
            self.proxy.down = False
        else:
            self.counts["MongoDB restarted"] += 1
            self.mongo.stop()
            time.sleep(self.random.uniform(0, 2))
            self.mongo.start()

    def task_row(self):
        return self.sql("SELECT status, succeeded, failed, waiting, ready, stored, failing "
                        "FROM tasks")[0]

    def break_until_done(self, seconds):
        """Something breaks every second or two while there is work; the receiver goes when a fifth
        is done, for a minute (a tenth of it for few records)."""
        begun = time.monotonic()
        away_at = None
        away_for = 60 if RECORDS >= 1000 else 10
        while ((row := self.task_row())[0] == "running" and time.monotonic() - begun < seconds
               and self.counts.total() < BREAKS):
            if away_at is None and int(row[1]) >= RECORDS // 5:
                away_at = time.monotonic()
                self.counts["receiver away"] += 1
                self.receiver.down()
            if away_at and not self.receiver.server and time.monotonic() - away_at > away_for:
                self.receiver.up()
            if os.environ.get("CAULDRON_FAULT_VERBOSE"):
                print("#", round(time.monotonic() - begun), row, dict(self.counts), flush=True)
            self.break_something()
            time.sleep(self.random.uniform(0.5, 2))
        if away_at and not self.receiver.server:
            time.sleep(max(0, away_for - (time.monotonic() - away_at)))
            self.receiver.up()
        return time.monotonic() - begun

    # ---- what must hold ----

    def check_rows(self):
        self.assertEqual(self.sql("SELECT status, count(*) FROM task_records GROUP BY status"),
                         [("succeeded", str(RECORDS))])
        self.assertEqual(self.sql("SELECT min(end_number), max(end_number), "
                                  "count(DISTINCT end_number) FROM task_records"),
                         [("1", str(RECORDS), str(RECORDS))])
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT key) FROM generations "
                                  "WHERE status = 'succeeded'"), [(str(RECORDS),) * 2])
        self.assertEqual(self.sql("SELECT count(*) FROM generations"), [(str(RECORDS),)])
        self.assertEqual(self.sql("SELECT status, count(*) FROM jobs GROUP BY status"),
                         [("succeeded", str(RECORDS))])
        self.assertEqual(self.sql("SELECT count(*) FROM images"), [(str(RECORDS),)])

    def check_objects(self):
        entries = self.out.entries()
        self.assertEqual(set(entries), {f"{r['id']}/{r['seed']}{end}" for r in self.rows
                                        for end in (".png", ".json")})
        results = list(self.db.results.find())
        self.assertEqual(sorted(r["record_id"] for r in results), [r["id"] for r in self.rows])
        for r in results:
            self.assertEqual(r["status"], "succeeded")
            data = self.out.read(r["object"])
            self.assertEqual((len(data), md5(data), hashlib.sha256(data).hexdigest()),
                             (r["bytes"], r["checksums"]["md5"], r["checksums"]["sha256"]))
            self.assertEqual(entries[r["object"]]["crc32c"], r["checksums"]["crc32c"])

    def check_callbacks(self):
        self.assertEqual(self.receiver.complaints, [])
        kinds = collections.Counter(e.kind for e in self.receiver.events.values())
        self.assertEqual(kinds, {"record": RECORDS, "batch": -(-RECORDS // BATCH), "end": 1})
        self.assertEqual(self.sql("SELECT status, count(*) FROM callbacks GROUP BY status"),
                         [("delivered", str(sum(kinds.values())))])
        ids = {row[0] for row in self.sql("SELECT id FROM callbacks")}
        self.assertEqual(set(self.receiver.events), ids)
        every = sorted(r["id"] for r in self.rows)
        told = sorted(e.body["data"]["record_id"] for e in self.receiver.of("record"))
        self.assertEqual(told, every)
        told = sorted(r["record_id"] for e in self.receiver.of("batch")
                      for r in e.body["data"]["records"])
        self.assertEqual(told, every)
        end, = self.receiver.of("end")
        self.assertEqual(end.body["data"]["counts"]["succeeded"], RECORDS)
        self.assertEqual(end.body["data"]["status"], "completed")

    def check_left_over(self):
        """Files of a put that was killed are gc's; there is at most one for each kill."""
        blobs = self.data / "blobs"
        files = [p for p in blobs.rglob("*") if p.is_file()]
        whole = [p for p in files if re.fullmatch(r"[0-9a-f]{64}", p.name)]
        pictures = self.sql("SELECT DISTINCT sha256 FROM images")
        self.assertEqual({p.name for p in whole}, {sha for sha, in pictures})
        self.assertLessEqual(len(files) - len(whole), self.counts["killed worker"])

    def test_every_record_ends_once(self):
        self.rows = records(RECORDS)
        self.db.products.insert_many([{"_id": r["id"], "prompt": r["prompt"], "seed": r["seed"]}
                                      for r in self.rows])
        self.begin_processes()
        self.task("run", self.write(self.doc()), "--detach")
        seconds = self.break_until_done(1200)
        self.wait_for(lambda: self.task_row()[0] == "completed", seconds=600, period=1)
        self.wait_for(lambda: self.sql("SELECT count(*) FROM callbacks WHERE status = 'waiting'")
                      == [("0",)], seconds=400, period=1)
        self.check_rows()
        self.check_objects()
        self.check_callbacks()
        self.check_left_over()
        sent = sum(e.times for e in self.receiver.events.values())
        print(f"# {RECORDS} records in {seconds:.0f} s with {dict(self.counts)}, storage "
              f"{self.proxy.counts}; {sent} requests for {len(self.receiver.events)} callbacks",
              flush=True)


if __name__ == "__main__":
    unittest.main()
