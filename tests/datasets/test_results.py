"""Results: in a collection, in the records, in a file; twice at once, cut anywhere, run again."""

import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import random
import tempfile
import time
import unittest

from driver import Driver, Failed

import servers

servers.Mongo.packages()
try:
    import bson
    import pymongo

    from fake_mongo import FakeMongo
except ImportError:
    pymongo = None

QUICK = "serverSelectionTimeoutMS=800&connectTimeoutMS=500"


def key(i):
    return hashlib.sha256(str(i).encode()).hexdigest()


def row(i, record_id=None, **body):
    return {"key": key(i), "record_id": str(i) if record_id is None else record_id, "number": i + 1,
            "body": {"status": "succeeded", "number_of": i, **body}}


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "new/results.jsonl"
        self.part = self.folder / "new/results.jsonl.part"

    def driver(self, *options):
        d = Driver("--folder", str(self.folder), *options)
        d.ask("results", document={"type": "jsonl", "path": "new/results.jsonl"}, source=None)
        return d

    def lines(self):
        return [json.loads(x) for x in self.path.read_text().split("\n")[:-1]]

    def test_one_line_a_key_in_the_order_of_the_records(self):
        with self.driver() as d:
            d.ask("ping")
            self.assertFalse(self.path.parent.exists())
            d.ask("put", rows=[row(i) for i in (5, 3, 9)])
            self.assertTrue(self.part.exists())
            d.ask("put", rows=[row(i, again=True) for i in (3, 1)])
            d.ask("finish")
            d.ask("finish")
            d.ask("ping")
        self.assertEqual([x["number"] for x in self.lines()], [2, 4, 6, 10])
        self.assertEqual([x.get("again") for x in self.lines()], [True, True, None, None])
        self.assertEqual(list(self.lines()[0])[:4], ["key", "number", "record_id", "status"])
        self.assertEqual(os.listdir(self.path.parent), ["results.jsonl"])
        # Run again: what is new replaces, the rest stays.
        with self.driver() as d:
            d.ask("put", rows=[row(3, third=True), row(0)])
            d.ask("finish")
        self.assertEqual([x["number"] for x in self.lines()], [1, 2, 4, 6, 10])
        self.assertTrue(self.lines()[2]["third"])

    def test_nothing_to_write_is_an_empty_file(self):
        with self.driver() as d:
            d.ask("finish")
        self.assertEqual(self.lines(), [])

    def test_values_are_plain(self):
        with self.driver() as d:
            d.ask("put", rows=[row(1, made={"at": {"$date": "2026-11-22T00:00:00.000Z"}, "l": [{"$date": "x"}], "n": {"$date": 1}}, real=0.1,
                                   key="other", text="é\n\u2028")])
            d.ask("finish")
        line = self.lines()[0]
        self.assertEqual(line["made"], {"at": "2026-11-22T00:00:00.000Z", "l": ["x"], "n": {"$date": 1}})
        self.assertEqual((line["key"], line["real"], line["text"]), (key(1), 0.1, "é\n\u2028"))

    def test_a_part_that_was_cut_at_any_byte(self):
        with self.driver() as d:
            d.ask("put", rows=[row(i) for i in range(4)])
        whole = self.part.read_bytes()
        ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
        for cut in list(range(ends[1] - 3, ends[2] + 3)) + [0, 1, len(whole)]:
            self.part.write_bytes(whole[:cut])
            with self.driver() as d:
                d.ask("put", rows=[row(7)])
                d.ask("finish")
            there = [i + 1 for i in range(4) if ends[i] <= cut]
            self.assertEqual([x["number"] for x in self.lines()], there + [8], cut)
            self.path.unlink()

    def test_a_program_that_is_killed_while_it_writes(self):
        r = random.Random(1)
        answered = set()
        for attempt in range(6):
            d = self.driver()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                stop = time.monotonic() + r.uniform(0.05, 0.3)

                def write(d=d, attempt=attempt):
                    try:
                        for i in range(100000):
                            rows = [row(attempt * 1000000 + i * 10 + j, filler="x" * r.randrange(3000)) for j in range(10)]
                            d.ask("put", rows=rows)
                            answered.update(x["key"] for x in rows)
                    except (RuntimeError, OSError, ValueError):
                        pass

                written = pool.submit(write)
                time.sleep(max(0, stop - time.monotonic()))
                d.process.kill()
                written.result()
            d.process.wait()
            d.process.stdin.close()
            d.process.stdout.close()
        with self.driver() as d:
            d.ask("finish")
        lines = self.lines()
        self.assertGreater(len(answered), 0)
        self.assertLessEqual(answered, {x["key"] for x in lines})
        self.assertEqual(len({x["key"] for x in lines}), len(lines))
        self.assertEqual([x["number"] for x in lines], sorted(x["number"] for x in lines))

    def test_two_programs_write_at_once(self):
        def work(first):
            with self.driver() as d:
                for i in range(40):
                    d.ask("put", rows=[row(j, by=first) for j in range(first + i * 5, first + i * 5 + 10)])
                    if i % 10 == 9:
                        d.ask("finish")

        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(work, (0, 0, 100)))
        self.assertEqual([x["number"] for x in self.lines()], list(range(1, 306)))
        self.assertEqual(os.listdir(self.path.parent), ["results.jsonl"])

    def test_a_file_that_holds_something_else_is_left_alone(self):
        self.path.parent.mkdir()
        self.path.write_text("my notes\n")
        with self.driver() as d:
            for do in ("ping", "finish"):
                if do == "finish":
                    d.ask("put", rows=[row(1)])
                with self.assertRaises(Failed) as caught:
                    d.ask(do)
                self.assertEqual(caught.exception.code, "conflict")
        self.assertEqual(self.path.read_text(), "my notes\n")

    def test_links_do_not_lead_out_of_the_folder(self):
        self.path.parent.mkdir()
        outside = self.folder / "outside"
        os.symlink(outside, self.part)
        with self.driver("--inside") as d, self.assertRaises(Failed) as caught:
            d.ask("put", rows=[row(1)])
        self.assertEqual(caught.exception.code, "argument")
        self.assertFalse(outside.exists())

    def test_rows_that_make_no_sense(self):
        with self.driver() as d:
            for bad in ({**row(1), "key": "XYZ"}, {**row(1), "key": ""}, {**row(1), "body": None}, {**row(1), "key": "a" * 129}):
                with self.assertRaises(Failed) as caught:
                    d.ask("put", rows=[row(2), bad])
                self.assertEqual(caught.exception.code, "argument")
            d.ask("put", rows=[])
        self.assertFalse(self.part.exists())


def setUpModule():
    global SERVER, CLIENT
    SERVER = None
    if not pymongo or servers.Mongo.missing():
        return
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    SERVER = servers.Mongo(folder.name)
    unittest.addModuleCleanup(SERVER.stop)
    SERVER.start()
    CLIENT = pymongo.MongoClient(SERVER.url, tz_aware=True)
    unittest.addModuleCleanup(CLIENT.close)


class Mongo(unittest.TestCase):
    def setUp(self):
        if not SERVER:
            self.skipTest(f"NOT RUN: {servers.Mongo.missing() or 'no pymongo'}")
        self.name = self.id().split(".")[-1][:60]
        self.records = CLIENT.tests[self.name]
        self.results = CLIENT.tests[self.name + "_results"]
        self.source = {"type": "mongodb", "uri": f"{SERVER.url}/?{QUICK}", "database": "tests",
                       "collection": self.name}

    def driver(self, document=None, **source):
        d = Driver()
        d.ask("results", document=document or {"type": "mongodb", "collection": self.name + "_results"},
              source={**self.source, **source})
        return d

    def test_a_document_a_key(self):
        at = {"$date": "2026-11-22T01:02:03.004Z"}
        with self.driver() as d:
            d.ask("ping")
            self.assertEqual(d.ask("put", rows=[row(i, at=at, big=2**40, deep={"$x": [{"a.b": 1}]}) for i in range(300)])["missing"], 0)
            d.ask("put", rows=[row(i, second=True) for i in range(100)])
            d.ask("finish")
        self.assertEqual(self.results.count_documents({}), 300)
        self.assertEqual(self.results.count_documents({"second": True}), 100)
        found = self.results.find_one({"_id": key(200)})
        self.assertEqual(found, {
            "_id": key(200), "record_id": "200", "number": 201, "status": "succeeded", "number_of": 200, "big": 2**40,
            "at": datetime.datetime(2026, 11, 22, 1, 2, 3, 4000, tzinfo=datetime.timezone.utc), "deep": {"$x": [{"a.b": 1}]}})

    def test_written_twice_at_once(self):
        def work(_):
            with self.driver() as d:
                for i in range(0, 400, 20):
                    d.ask("put", rows=[row(j) for j in range(i, i + 40)])

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        self.assertEqual(self.results.count_documents({}), 420)

    def test_into_the_records(self):
        ids = {"text": "text", "5": 5, "6.5": 6.5, "0123456789abcdef01234567": bson.ObjectId("0123456789abcdef01234567"),
               "fedcba9876543210fedcba98": "fedcba9876543210fedcba98", "77": "77", "true": True,
               '{"$date":{"$numberLong":"1767323045678"}}': datetime.datetime(2026, 1, 2, 3, 4, 5, 678000)}
        self.records.insert_many([{"_id": x, "kept": 1, "out": {"other": 2}} for x in ids.values()])
        with Driver() as d:
            read = {x["id"] for x in d.read(self.source)}
        self.assertEqual(read, set(ids))
        rows = [row(i, text) for i, text in enumerate(ids)] + [row(99, "vanished"), row(98, '{"$oid": nonsense')]
        with self.driver({"type": "record", "field": "out.cauldron"}) as d:
            d.ask("ping")
            for _ in range(2):
                self.assertEqual(d.ask("put", rows=rows)["missing"], 2)
        self.assertEqual(self.records.count_documents({}), len(ids))
        for i, identity in enumerate(ids.values()):
            found = self.records.find_one({"_id": identity})
            del found["_id"]
            self.assertEqual(found, {"kept": 1, "out": {"other": 2, "cauldron": {
                "key": key(i), "status": "succeeded", "number_of": i}}})

    def test_into_records_of_another_id(self):
        self.records.insert_many([{"meta": {"sku": f"s{i}"}} for i in range(5)])
        with self.driver({"type": "record"}, id="meta.sku") as d:
            self.assertEqual(d.ask("put", rows=[row(i, f"s{i}") for i in range(5)])["missing"], 0)
        self.assertEqual({x["meta"]["sku"]: x["cauldron"]["number_of"] for x in self.records.find()},
                         {f"s{i}": i for i in range(5)})

    def test_a_server_that_is_restarted(self):
        with self.driver() as d:
            d.ask("put", rows=[row(1)])
            time.sleep(0.1)
            SERVER.kill()
            for do in ({"do": "put", "rows": [row(2)]}, {"do": "ping"}):
                with self.assertRaises(Failed) as caught:
                    d.ask(**do)
                self.assertEqual(caught.exception.code, "network")
            SERVER.start()
            end = time.monotonic() + 60
            while time.monotonic() < end:
                try:
                    d.ask("put", rows=[row(1), row(2)])
                    break
                except Failed as failure:
                    self.assertEqual(failure.code, "network")
                    time.sleep(0.3)
        self.assertEqual(self.results.count_documents({}), 2)

    def against(self, answers, uri=""):
        """What a put answers there, and the update commands that were sent."""
        with FakeMongo(answers) as server, Driver() as d:
            d.ask("results", document={"type": "mongodb", "uri": f"{server.url}/?{QUICK}{uri}", "database": "d",
                                       "collection": "c"}, source=None)
            try:
                return d.ask("put", rows=[row(1)]), [x for x in server.asked if "update" in x]
            except Failed as failure:
                return failure, [x for x in server.asked if "update" in x]

    def test_answered_by_a_majority(self):
        good = {"ok": 1.0, "n": 1, "nModified": 0, "upserted": [{"index": 0, "_id": key(1)}]}
        _, sent = self.against({"update": good})
        self.assertEqual(sent[0]["writeConcern"], {"w": "majority", "j": True, "wtimeout": 30000})
        _, sent = self.against({"update": good}, "&w=2")
        self.assertEqual(sent[0]["writeConcern"], {"w": 2})

    def test_a_server_that_knows_no_majority(self):
        def answer(command):
            if command.get("writeConcern", {}).get("w") == "majority":
                return {"ok": 0.0, "code": 2, "errmsg": "cannot use 'majority' mode when a host is not replicated"}
            return {"ok": 1.0, "n": 1, "nModified": 1}

        result, sent = self.against({"update": answer})
        self.assertEqual((result, len(sent)), ({"missing": 0}, 2))

    def test_what_a_server_refuses(self):
        for answer, code in (({"ok": 0.0, "code": 13, "errmsg": "not authorized"}, "denied"),
                             ({"ok": 0.0, "code": 10107, "errmsg": "not primary"}, "network"),
                             ({"ok": 1.0, "n": 0, "writeErrors": [{"index": 0, "code": 121, "errmsg": "Document failed validation"}]}, "argument"),
                             ({"ok": 1.0, "n": 1, "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}, "network")):
            failure, _ = self.against({"update": answer})
            self.assertIsInstance(failure, Failed, answer)
            self.assertEqual(failure.code, code, failure.message)

    def test_without_an_answer_nothing_is_durable(self):
        with Driver() as d, self.assertRaises(Failed) as caught:
            d.ask("results", document={"type": "mongodb", "uri": f"{SERVER.url}/?w=0", "database": "d", "collection": "c"},
                  source=None)
        self.assertEqual(caught.exception.code, "argument")


class Documents(unittest.TestCase):
    def test_mistakes_are_named(self):
        mongo = {"type": "mongodb", "connection": "c", "database": "d", "collection": "c"}
        file = {"type": "jsonl", "path": "a"}
        cases = [
            ({}, mongo, "/type"), (None, mongo, ""), ({"type": "mongodb"}, mongo, "/collection"),
            ({"type": "mongodb", "collection": "r"}, file, "/connection"),
            ({"type": "mongodb", "collection": "r", "connection": "x"}, file, "/database"),
            ({"type": "mongodb", "collection": "r", "connection": "x", "uri": "mongodb://h"}, mongo, "/uri"),
            ({"type": "record"}, file, "/type"), ({"type": "record", "field": "_id"}, mongo, "/field"),
            ({"type": "record", "field": "_id.x"}, mongo, "/field"), ({"type": "record", "field": "a..b"}, mongo, "/field"),
            ({"type": "record", "field": "sku"}, {**mongo, "id": "sku"}, "/field"),
            ({"type": "record", "field": "$a"}, mongo, "/field"), ({"type": "jsonl"}, mongo, "/path"),
            ({"type": "record", "path": "x"}, mongo, "/path"),
        ]
        with Driver() as d:
            for document, source, pointer in cases:
                if document is None:
                    document = []
                with self.assertRaises(Failed, msg=document) as caught:
                    d.ask("check", document=document, source=source)
                self.assertEqual((caught.exception.code, caught.exception.answer["pointer"]), ("argument", pointer), document)
            self.assertFalse(d.ask("check", document={"type": "mongodb", "collection": "r"}, source=mongo)["local"])
            self.assertFalse(d.ask("check", document={"type": "record"}, source=mongo)["local"])
            self.assertTrue(d.ask("check", document={"type": "jsonl", "path": "r"}, source=mongo)["local"])


if __name__ == "__main__":
    unittest.main()
