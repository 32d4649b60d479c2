"""Collections as datasets, against mongo-java-server (and pymongo on its other side), and against a
fake that refuses what that server cannot refuse: logins, write concerns."""

import datetime
import decimal
import json
import pathlib
import socket
import sys
import tempfile
import time
import unittest

from driver import Driver, Failed

import servers

servers.Mongo.packages()
try:
    import bson
    import pymongo
    from bson.decimal128 import Decimal128
    from bson.int64 import Int64

    from fake_mongo import FakeMongo
except ImportError as missing:
    raise unittest.SkipTest(f"NOT RUN: {missing} (tools/test_servers.sh)") from missing

QUICK = "serverSelectionTimeoutMS=800&connectTimeoutMS=500"


def setUpModule():
    servers.Mongo.need()
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    global SERVER, CLIENT
    SERVER = servers.Mongo(folder.name)
    unittest.addModuleCleanup(SERVER.stop)
    SERVER.start()
    CLIENT = pymongo.MongoClient(SERVER.url)
    unittest.addModuleCleanup(CLIENT.close)


class Case(unittest.TestCase):
    def setUp(self):
        self.name = self.id().split(".")[-1][:60]
        self.collection = CLIENT.tests[self.name]

    def source(self, **members):
        return {"type": "mongodb", "uri": f"{SERVER.url}/?{QUICK}", "database": "tests",
                "collection": self.name, **members}

    def read(self, limit=200, position=None, **members):
        with Driver() as d:
            return d.read(self.source(**members), limit, position)

    def failure(self, **members):
        with Driver() as d, self.assertRaises(Failed) as caught:
            d.read(self.source(**members))
        return caught.exception


class Reading(Case):
    def test_ten_thousand_records_and_a_server_that_is_killed(self):
        self.collection.insert_many([{"_id": i, "prompt": f"a fox, {i}"} for i in range(10000)])
        time.sleep(0.2)  # until the server has it on its disk
        found = []
        with Driver() as d:
            d.ask("open", source=self.source())
            self.assertEqual(d.ask("count")["count"], 10000)
            while page := d.ask("next", limit=500)["records"]:
                found += page
                if len(found) in (2000, 6000):
                    SERVER.kill()
                    for _ in range(2):
                        with self.assertRaises(Failed) as caught:
                            d.ask("next", limit=500)
                        self.assertEqual(caught.exception.code, "network")
                        self.assertIn(f"127.0.0.1:{SERVER.port}", caught.exception.message)
                    SERVER.start()
                    self.wait_for(d)
        self.assertEqual([x["fields"]["_id"] for x in found], list(range(10000)))
        self.assertEqual([x["number"] for x in found], list(range(1, 10001)))
        # Another process goes on anywhere.
        self.assertEqual(self.read(1000, found[7300]["position"]), found[7301:])

    def wait_for(self, d):
        """Like a caller that tries again: libmongoc leaves a server that it could not reach alone for
        five seconds."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                return d.ask("count")
            except Failed:
                time.sleep(0.3)
        raise AssertionError("the server does not come back")

    def test_ids_of_every_type_are_read_in_one_order(self):
        ids = [5, 5.5, Int64(2**40), -3, "text", "", "6", "a" * 600, "\n" * 400, {"a": 1}, {"a": 1, "b": 2}, b"bytes",
               bson.ObjectId("0123456789abcdef01234567"), False, True,
               datetime.datetime(2026, 1, 2, 3, 4, 5, 678000), bson.Timestamp(7, 1)]
        self.collection.insert_many([{"_id": x, "place": i} for i, x in enumerate(ids)])
        self.collection.insert_many([{"_id": i + 100} for i in range(5)])
        whole = self.read()
        self.assertEqual(len(whole), len(ids) + 5)
        for limit in (1, 2, 7):
            self.assertEqual(self.read(limit), whole)
        texts = {x["fields"]["place"]: x["id"] for x in whole if x["fields"] and "place" in x["fields"]}
        self.assertEqual([texts.get(i) for i in (0, 1, 2, 3, 4, 6, 9, 12, 13, 15)],
                         ["5", "5.5", str(2**40), "-3", "text", "6", '{"a":{"$numberInt":"1"}}',
                          "0123456789abcdef01234567", "false",
                          '{"$date":{"$numberLong":"1767323045678"}}'])
        problems = [x["problem"] for x in whole if x["problem"]]
        self.assertEqual(len(problems), 2, problems)  # empty; 600 bytes
        for i, record in enumerate(whole):
            # A position that does not fit into a text is that of the record before: read again.
            rest = self.read(3, record["position"])
            self.assertEqual(rest[-(len(whole) - i - 1):] if i + 1 < len(whole) else [], whole[i + 1:])
            self.assertLessEqual(len(record["position"]), 1024)

    def test_another_id_that_occurs_twice_or_is_missing(self):
        self.collection.insert_many([{"_id": i, "meta": {"sku": f"s{i // 4}"}} for i in range(30)])
        self.collection.insert_one({"_id": 99})
        whole = self.read(id="meta.sku")
        self.assertEqual([x["id"] for x in whole[1:]], sorted(f"s{i // 4}" for i in range(30)))
        self.assertEqual(whole[0]["problem"], "record 1: it has no 'meta.sku'")
        for limit in (1, 3, 5):
            self.assertEqual(self.read(limit, id="meta.sku"), whole)
        self.assertEqual(self.read(4, whole[6]["position"], id="meta.sku"), whole[7:])

    def test_a_list_is_no_id(self):
        self.collection.insert_many([{"_id": 1, "tags": "a"}, {"_id": 2, "tags": ["b", "a"]}])
        failure = self.failure(id="tags")
        self.assertEqual(failure.code, "format")
        self.assertIn("cannot be ordered by", failure.message)

    def test_types_become_plain(self):
        moment = datetime.datetime(2026, 11, 22, 1, 2, 3, 456000)
        self.collection.insert_one({
            "_id": bson.ObjectId("00112233445566778899aabb"), "text": "é狐", "int": 7, "long": Int64(2**53 + 1),
            "real": 0.1, "nan": float("nan"), "inf": float("-inf"), "decimal": Decimal128(decimal.Decimal("1.10")),
            "date": moment, "early": bson.datetime_ms.DatetimeMS(-10**15), "none": None, "yes": True, "binary": b"\0\1\2\xff", "list": [1, {"a": [None]}],
            "regex": bson.Regex("^a", "i"), "code": bson.Code("x"), "oid": bson.ObjectId("0" * 24),
            "time": bson.Timestamp(1, 5), "min": bson.MinKey(), "a.b": 1})
        self.assertEqual(self.read()[0]["fields"], {
            "_id": "00112233445566778899aabb", "text": "é狐", "int": 7, "long": 2**53 + 1, "real": 0.1, "nan": "NaN",
            "inf": "-Infinity", "decimal": "1.10", "date": "2026-11-22T01:02:03.456Z", "early": str(-10**15), "none": None, "yes": True,
            "binary": "AAEC/w==", "list": [1, {"a": [None]}], "regex": "/^a/i", "code": "x", "oid": "0" * 24,
            "time": "1970-01-01T00:00:01.000Z", "min": {"$minKey": 1}, "a.b": 1})

    def test_a_text_with_a_nul_is_a_problem(self):
        self.collection.insert_many([{"_id": 1, "a": "x\0y"}, {"_id": 2, "a": "z"}])
        found = self.read()
        self.assertIn("record 1: it has a text", found[0]["problem"])
        self.assertEqual((found[0]["id"], found[1]["problem"]), ("1", None))

    def test_query_and_projection(self):
        ids = [bson.ObjectId() for _ in range(20)]
        self.collection.insert_many([{"_id": x, "n": i, "big": "x", "when": datetime.datetime(2026, 1, 1 + i)}
                                     for i, x in enumerate(ids)])
        query = {"when": {"$gte": {"$date": "2026-01-11T00:00:00Z"}}, "_id": {"$ne": {"$oid": str(ids[15])}}}
        with Driver() as d:
            d.ask("open", source=self.source(query=query, projection={"n": 1, "_id": 0}))
            self.assertEqual(d.ask("count")["count"], 9)
            found = d.rest(4)
        self.assertEqual([x["fields"] for x in found],
                         [{"_id": str(ids[i]), "n": i} for i in range(10, 20) if i != 15])
        self.assertEqual(set(self.read(projection={"big": 0, "_id": 0})[0]["fields"]), {"_id", "n", "when"})
        self.assertEqual(set(self.read(projection={"_id": 0})[0]["fields"]), {"_id", "n", "when", "big"})
        self.assertEqual(set(self.read(projection={"_id": 1})[0]["fields"]), {"_id"})
        self.assertEqual(set(self.read(projection={"big": 1}, id="n")[0]["fields"]), {"_id", "n", "big"})

    def test_a_query_that_makes_no_sense(self):
        self.collection.insert_one({"_id": 1})
        failure = self.failure(query={"a": {"$nonsense": 1}})
        self.assertEqual(failure.code, "argument")
        self.assertIn("$nonsense", failure.message)

    def test_records_that_come_meanwhile_are_read(self):
        self.collection.insert_many([{"_id": i} for i in range(5)])
        with Driver() as d:
            found = d.read(self.source())
            self.collection.insert_many([{"_id": 7}, {"_id": "later"}])
            self.assertEqual([x["number"] for x in d.rest()], [6, 7])
            self.assertEqual(len(found), 5)

    def test_nonsense_is_no_position(self):
        for position in ("", "x", "{}", '{"id":1}', '{"n":1}', '{"id":[1],"n":1}'):
            with Driver() as d, self.assertRaises(Failed) as caught:
                d.read(self.source(), position=position)
            self.assertEqual(caught.exception.code, "argument", position)

    def test_pages_are_bounded_by_their_bytes(self):
        self.collection.insert_many([{"_id": i, "a": "x" * (4 << 20)} for i in range(8)])
        with Driver() as d:
            d.ask("open", source=self.source())
            self.assertEqual(len(d.ask("next", limit=100)["records"]), 4)
            self.assertEqual(len(d.rest()), 4)


class Connections(Case):
    def failure_at(self, uri, *options, **members):
        with Driver(*options) as d, self.assertRaises(Failed) as caught:
            d.read(self.source(uri=uri, **members))
        return caught.exception

    def test_a_port_that_nobody_listens_on(self):
        failure = self.failure_at(f"mongodb://user:topsecret@127.0.0.1:{servers.free_port()}/?{QUICK}")
        self.assertEqual(failure.code, "network")
        self.assertIn("MongoDB at 127.0.0.1:", failure.message)
        self.assertNotIn("topsecret", failure.message)

    def test_a_name_that_does_not_exist(self):
        failure = self.failure_at(f"mongodb://nowhere.invalid/?{QUICK}")
        self.assertEqual(failure.code, "network")
        self.assertIn("nowhere.invalid", failure.message)

    def test_a_server_that_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            failure = self.failure_at(f"mongodb://127.0.0.1:{silent.getsockname()[1]}/?{QUICK}")
        self.assertEqual(failure.code, "network")

    def test_a_wrong_password(self):
        refused = {"ok": 0.0, "code": 18, "codeName": "AuthenticationFailed", "errmsg": "Authentication failed."}
        with FakeMongo({"saslStart": refused}) as server:
            failure = self.failure_at(server.url.replace("//", "//user:topsecret@") + f"/?{QUICK}&authMechanism=SCRAM-SHA-1")
        self.assertEqual(failure.code, "denied")
        self.assertIn(f"MongoDB at 127.0.0.1:{server.port}", failure.message)
        self.assertNotIn("topsecret", failure.message)

    def test_somebody_who_may_not_read(self):
        refused = {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized to execute find"}
        with FakeMongo({"find": refused}) as server:
            self.assertEqual(self.failure_at(f"{server.url}/?{QUICK}").code, "denied")

    def test_a_server_that_is_no_primary_any_more(self):
        refused = {"ok": 0.0, "code": 13435, "codeName": "NotPrimaryNoSecondaryOk", "errmsg": "not primary"}
        with FakeMongo({"find": refused}) as server:
            self.assertEqual(self.failure_at(f"{server.url}/?{QUICK}").code, "network")

    def test_only_hosts_of_the_list(self):
        here = f"127.0.0.1:{SERVER.port}"
        with Driver("--allow", f"example.org,{here}") as d:
            self.assertEqual(d.read(self.source()), [])
        failure = self.failure_at(f"{SERVER.url}/?{QUICK}", "--allow", "example.org")
        self.assertEqual(failure.code, "denied")
        self.assertIn("127.0.0.1", failure.message)
        failure = self.failure_at(f"mongodb://{here},other.example/?{QUICK}", "--allow", here)
        self.assertEqual(failure.code, "denied")

    def test_hosts_that_a_server_names_are_looked_up_too(self):
        with FakeMongo({}) as other:
            there = f"localhost:{other.port}"
            with FakeMongo({}, {"setName": "rs", "hosts": [there], "me": "127.0.0.1:1", "primary": there,
                                "secondary": True, "ismaster": False, "isWritablePrimary": False}) as first:
                failure = self.failure_at(f"{first.url}/?replicaSet=rs&{QUICK}", "--allow", "127.0.0.1")
        self.assertEqual(failure.code, "denied")
        self.assertIn("localhost", failure.message)
        self.assertEqual(other.asked, [])

    def test_hosts_that_a_server_names_and_that_are_away(self):
        for there in (f"127.0.0.1:{servers.free_port()}", "nowhere.invalid:1"):
            with FakeMongo({}, {"setName": "rs", "hosts": [there], "me": "127.0.0.1:1", "primary": there,
                                "secondary": True, "ismaster": False, "isWritablePrimary": False}) as first:
                failure = self.failure_at(f"{first.url}/?replicaSet=rs&{QUICK}")
            self.assertEqual(failure.code, "network")
            self.assertIn(there, failure.message)

    def test_named_connections(self):
        source = self.source(connection="main-db")
        del source["uri"]
        with Driver("--inside", "--connection", f"main-db={SERVER.url}") as d:
            self.assertEqual(d.read(source), [])
        with Driver() as d, self.assertRaises(Failed) as caught:
            d.read(source)
        self.assertEqual(caught.exception.code, "not_found")
        self.assertIn("CAULDRON_CONNECTION_MAIN_DB", caught.exception.message)
        with Driver("--connection", "main-db=mongodb://user:topsecret@/") as d, self.assertRaises(Failed) as caught:
            d.read(source)
        self.assertEqual(caught.exception.code, "argument")
        self.assertNotIn("topsecret", caught.exception.message)


class Configurations(Case):
    config = {"name": "shots", "version": 3, "model": "demo", "digest": "sha256:0123456789ab", "parameters": {"steps": 8},
              "notes": "good"}

    def find(self, name="shots", version=0, **members):
        with Driver() as d:
            return d.ask("config", **{"from": self.source(**members)}, name=name, version=version)["config"]

    def refused(self, code, *args):
        with self.assertRaises(Failed) as caught:
            self.find(*args)
        self.assertEqual(caught.exception.code, code)
        return caught.exception.message

    def test_the_newest_or_the_one_that_is_asked_for(self):
        now = datetime.datetime(2026, 1, 1)
        for version in (1, Int64(3), 2.0):
            self.collection.insert_one({**self.config, "version": version, "created_at": now})
        self.collection.insert_one({**self.config, "name": "others", "version": 9})
        self.assertEqual(self.find(), self.config)
        self.assertEqual(self.find("shots", 2), {**self.config, "version": 2})
        self.assertIn("did you mean 'shots'?", self.refused("not_found", "shost"))
        self.assertIn("'shots' has no version 7", self.refused("not_found", "shots", 7))
        self.collection.insert_one({**self.config, "version": 3})
        self.assertIn("two model configurations 'shots' of version 3", self.refused("conflict"))

    def test_mistakes_are_named(self):
        self.collection.insert_one({**self.config, "parameter": {}})
        self.assertIn("/parameter: expected no such member; did you mean 'parameters'?", self.refused("argument"))
        for i, (name, value, pointer) in enumerate((("version", "3", "/version"), ("version", 0, "/version"), ("digest", "xyz", "/digest"), ("model", None, "/model"),
                                  ("parameters", [], "/parameters"))):
            self.collection.insert_one({**self.config, "name": f"n{i}", name: value})
            self.assertIn(pointer, self.refused("argument", f"n{i}"))

    def test_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "configs.jsonl"
            path.write_text("".join(json.dumps({**self.config, "version": v}) + "\n" for v in (2, 3, 1)))
            source = {"type": "jsonl", "path": str(path)}
            with Driver() as d:
                self.assertEqual(d.ask("config", **{"from": source}, name="shots", version=0)["config"], self.config)
                with self.assertRaises(Failed) as caught:
                    d.ask("config", **{"from": source}, name="shot")
        self.assertIn("did you mean 'shots'?", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
