"""JSON Lines and CSV as Python writes them, read by us; positions, files that change, folders."""

import csv
import io
import json
import os
import pathlib
import random
import tempfile
import unittest

from driver import Driver, Failed

# What makes readers of text stumble, and ordinary words.
PIECES = ['"', '""', ",", ";", "\t", "\n", "\r\n", "\r", " ", "", "\\", "'", "a", "a fox", "é", "狐", "🦊", "=1+1",
          "\u2028", "{}", "null", "#"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "records"

    def write(self, content):
        self.path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self, kind, limit=200, position=None, **members):
        with Driver() as d:
            return d.read({"type": kind, "path": str(self.path), **members}, limit, position)

    def failure(self, kind, position=None, **members):
        with Driver() as d, self.assertRaises(Failed) as caught:
            d.read({"type": kind, "path": str(self.path), **members}, 200, position)
        return caught.exception


def random_value(r, depth=0):
    kinds = ["text", "integer", "real", "flag", "null"] + (["list", "object"] if depth < 3 else [])
    kind = r.choice(kinds)
    if kind == "text":
        return "".join(r.choice(PIECES) for _ in range(r.randrange(6)))
    if kind == "integer":
        return r.choice([0, -1, 7, 2**31, -2**31 - 1, 2**63 - 1, -2**63])
    if kind == "real":
        return r.choice([0.5, -1e300, 1e-300, 0.1, 123456789.125])
    if kind == "list":
        return [random_value(r, depth + 1) for _ in range(r.randrange(4))]
    if kind == "object":
        return {f"k{i}": random_value(r, depth + 1) for i in range(r.randrange(4))}
    return {"flag": r.random() < 0.5, "null": None}[kind]


class JsonLines(Case):
    def test_what_json_writes_is_read(self):
        for seed in range(20):
            r = random.Random(seed)
            rows = [{"id": f"r{i}", "v": random_value(r)} for i in range(r.randrange(1, 60))]
            end = r.choice(["\n", "\r\n"])
            text = end.join(json.dumps(row, ensure_ascii=r.random() < 0.5) for row in rows)
            self.write(("\ufeff" if r.random() < 0.3 else "") + text + r.choice(["", end]))
            found = self.read("jsonl", r.randrange(1, 30))
            self.assertEqual([x["fields"] for x in found], rows, f"seed {seed}")
            self.assertEqual([x["number"] for x in found], list(range(1, len(rows) + 1)))

    def test_bad_lines_are_problems_with_their_number(self):
        self.write(b'{"a":1}\n\nnonsense\n  \t\n[1]\n{"a":1,"a":2}\n{"id":{"x":[1]}}\n{"id":null}\n'
                   b'{"a":"\xff"}\n{"a":"x\\u0000"}\n{"id":12}\n{"id":1.5}\n{"a":9}')
        found = self.read("jsonl")
        self.assertEqual([(x["number"], x["id"]) for x in found],
                         [(1, "1"), (3, "3"), (5, "5"), (6, "6"), (7, '{"x":[1]}'), (8, "8"), (9, "9"),
                          (10, "10"), (11, "12"), (12, "1.5"), (13, "13")])
        bad = {x["number"]: x["problem"] for x in found if x["problem"]}
        self.assertEqual(sorted(bad), [3, 5, 6, 8, 9, 10])
        for number, problem in bad.items():
            self.assertTrue(problem.startswith(f"line {number}: "), problem)
        self.assertIn("not a JSON object", bad[5])
        self.assertIn("duplicate", bad[6])
        self.assertIn("no 'id'", bad[8])

    def test_an_id_of_another_name(self):
        self.write('{"sku":"a"}\n{"id":"b"}\n')
        found = self.read("jsonl", id="sku")
        self.assertEqual(found[0]["id"], "a")
        self.assertIn("line 2: it has no 'sku'", found[1]["problem"])

    def test_a_line_that_is_too_large_is_passed_over(self):
        large = b'{"a":"' + b"x" * (16 << 20) + b'"}\n'
        self.write(b'{"a":1}\n' + large + b'{"a":2}\n' + large[:-1])
        found = self.read("jsonl")
        self.assertEqual([x["number"] for x in found], [1, 2, 3, 4])
        self.assertEqual(found[2]["fields"], {"a": 2})
        for i in (1, 3):
            self.assertIn(f"line {i + 1}: it has {len(large) - i // 3} bytes, more than", found[i]["problem"])
        self.assertEqual(self.read("jsonl", position=found[1]["position"]), found[2:])

    def test_every_position_goes_on_behind_its_record(self):
        rows = [{"id": i, "t": "é" * (i % 50)} for i in range(2000)]
        self.write("\ufeff" + "".join(json.dumps(x) + ("\n" if x["id"] % 3 else "\r\n") for x in rows))
        whole = self.read("jsonl", 333)
        self.assertEqual(len(whole), len(rows))
        for i in random.Random(4).sample(range(len(rows)), 12) + [0, len(rows) - 1]:
            self.assertEqual(self.read("jsonl", 100, whole[i]["position"]), whole[i + 1:])

    def test_a_file_that_grew_is_the_same_file(self):
        self.write('{"a":1}\n{"a":2}')
        position = self.read("jsonl")[-1]["position"]
        self.assertEqual(self.read("jsonl", position=position), [])
        for end in ("\n", "\r\n"):
            self.write('{"a":1}\n{"a":2}' + end + '{"a":3}\n')
            found = self.read("jsonl", position=position)
            self.assertEqual([(x["number"], x["fields"]) for x in found], [(3, {"a": 3})])

    def test_a_file_that_changed_is_a_conflict(self):
        rows = ['{"a":%d}' % i for i in range(9)]
        self.write("\n".join(rows))
        positions = [x["position"] for x in self.read("jsonl")]
        for content in ("\n".join(["{}"] + rows[1:]), "\n".join(rows[:5]), "", "\n".join(rows) + "0"):
            self.write(content)
            self.assertEqual(self.failure("jsonl", positions[-1]).code, "conflict", content)
        big = "".join('{"a":"%060d"}\n' % i for i in range(3000))
        self.write(big)
        position = self.read("jsonl", 2500)[2499]["position"]
        self.write(big[:100000])
        self.assertIn("it has 100000 bytes", self.failure("jsonl", position).message)
        self.write(big[:190000] + big[190000:].replace("0", "9"))  # behind what was read
        self.assertEqual(len(self.read("jsonl", position=position)), 500)

    def test_nonsense_is_no_position(self):
        self.write('{"a":1}\n')
        good = self.read("jsonl")[0]["position"]
        for bad in ("", "x", "1:2", good + "0", good[:-1], "2" + good[1:], good.replace(":", ":-", 1),
                    "1:1:1:1:99999999:" + "0" * 64):
            self.assertEqual(self.failure("jsonl", bad).code, "argument", bad)

    def test_count(self):
        self.write('{"a":1}\n\n \n{"a":2}\nnonsense')
        with Driver() as d:
            self.assertEqual(d.ask("open", source={"type": "jsonl", "path": str(self.path)}),
                             {"name": "records"})
            d.ask("next", limit=1)
            self.assertEqual(d.ask("count")["count"], 3)
            self.assertEqual(len(d.rest()), 2)


class Csv(Case):
    def check(self, rows, **options):
        names = [f"c{i}" for i in range(len(rows[0]))]
        text = io.StringIO(newline="")
        writer = csv.writer(text, **options)
        writer.writerows([names] + rows)
        self.write(text.getvalue())
        extra = {"delimiter": options["delimiter"]} if "delimiter" in options else {}
        found = self.read("csv", 7, **extra)
        self.assertEqual([x["problem"] for x in found], [None] * len(rows))
        self.assertEqual([list(x["fields"].values()) for x in found], rows)
        self.assertEqual(list(found[0]["fields"]), names)
        middle = len(rows) // 2
        self.assertEqual(self.read("csv", 5, found[middle]["position"], **extra), found[middle + 1:])

    def test_what_csv_writes_is_read(self):
        for seed in range(40):
            r = random.Random(seed)
            columns = r.randrange(1, 6)
            rows = [["".join(r.choice(PIECES) for _ in range(r.randrange(5))) for _ in range(columns)]
                    for _ in range(r.randrange(1, 40))]
            # With rows that end in LF alone, Python leaves a CR at their end without quotation marks.
            end, quoting = r.choice([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)])
            with self.subTest(seed=seed):
                self.check(rows, lineterminator=end, delimiter=r.choice(",;\t|"), quoting=quoting)

    def test_the_examples_of_rfc_4180(self):
        self.write('aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"aaa","b\r\nbb","ccc"\r\n"aaa","b""bb",""\r\n,,\r\nx, y ,z')
        self.assertEqual([list(x["fields"].values()) for x in self.read("csv")],
                         [["zzz", "yyy", "xxx"], ["aaa", "b\r\nbb", "ccc"], ["aaa", 'b"bb', ""], ["", "", ""],
                          ["x", " y ", "z"]])

    def test_quotation_marks_inside_of_unquoted_values_are_themselves(self):
        self.write('a,b\n5" nail,x\n6"" nail"," y"\n7,8\n')
        self.assertEqual([list(x["fields"].values()) for x in self.read("csv")],
                         [['5" nail', "x"], ['6"" nail"', " y"], ["7", "8"]])

    def test_rows_that_do_not_fit_are_problems(self):
        self.write('a,b\n1,2\n\n3\n4,5,6\n"7",8\n"9"x,1\n"a\nb",c\nd,"e')
        found = self.read("csv")
        self.assertEqual([x["number"] for x in found], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual([x["problem"] for x in found],
                         [None, "row 2 (line 4): 1 values, but there are 2 columns",
                          "row 3 (line 5): 3 values, but there are 2 columns", None,
                          "row 5 (line 7): something follows a closing quotation mark", None,
                          "row 7 (line 10): a quotation mark is not closed"])
        self.assertEqual(found[5]["fields"], {"a": "a\nb", "b": "c"})

    def test_values_that_are_no_text(self):
        self.write(b"a,b\nx\xff,1\nx\0,2\nx,3\n")
        problems = [x["problem"] for x in self.read("csv")]
        self.assertEqual(problems[:2], [f"row {i} (line {i + 1}): 'a' is no text in UTF-8" for i in (1, 2)])
        self.assertIsNone(problems[2])

    def test_ids(self):
        self.write("id,sku\n7,a\n,b\n")
        self.assertEqual([x["id"] for x in self.read("csv", id="sku")], ["a", "b"])
        found = self.read("csv")
        self.assertEqual(found[0]["id"], "7")
        self.assertEqual(found[1]["problem"], "row 2 (line 3): 'id' is empty")
        self.assertIn("no column 'skus'", self.failure("csv", id="skus").message)
        self.write("a\nx\n")
        self.assertEqual(self.read("csv")[0]["id"], "1")

    def test_headers_that_name_nothing(self):
        for header, words in (("", "there is none"), ("\n\n", "there is none"), ("a,b,a\n1,2,3\n", "two columns named 'a'"),
                              ("a,,b\n", "column 2 no name"), ('"a\n', "not closed")):
            self.write(header)
            failure = self.failure("csv")
            self.assertEqual((failure.code, words in failure.message), ("format", True), failure.message)

    def test_a_row_that_is_too_large_is_passed_over(self):
        self.write('a,b\n1,2\n"' + "x\n" * (9 << 20) + '",3\n4,5\n')
        found = self.read("csv")
        self.assertEqual([x["number"] for x in found], [1, 2, 3])
        self.assertIn("row 2 (line 3): it has", found[1]["problem"])
        self.assertEqual(found[2]["fields"], {"a": "4", "b": "5"})

    def test_count(self):
        self.write('\ufeffid,b\n\n1,"x\ny"\n2,z\n\n3')
        with Driver() as d:
            d.ask("open", source={"type": "csv", "path": str(self.path)})
            self.assertEqual(d.ask("count")["count"], 3)
            self.assertEqual([x["id"] for x in d.rest()][:2], ["1", "2"])
            d.ask("seek", position=None)
            self.assertEqual(len(d.rest(1)), 3)


class Folders(Case):
    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.folder.name)
        self.inner = self.top / "inner"
        (self.inner / "deep").mkdir(parents=True)
        (self.inner / "deep/r.jsonl").write_text('{"a":1}\n')
        (self.top / "secret.jsonl").write_text('{"a":2}\n')

    def test_relative_paths_are_below_the_folder(self):
        with Driver("--folder", str(self.inner)) as d:
            self.assertEqual(d.ask("open", source={"type": "jsonl", "path": "deep/r.jsonl"})["name"], "r")
            self.assertEqual(d.read({"type": "jsonl", "path": "./deep/../../secret.jsonl"})[0]["fields"], {"a": 2})
            self.assertEqual(d.read({"type": "jsonl", "path": str(self.top / "secret.jsonl")})[0]["fields"], {"a": 2})

    def test_nothing_leads_out_of_the_folder(self):
        os.symlink(self.top / "secret.jsonl", self.inner / "link.jsonl")
        os.symlink(self.top, self.inner / "up")
        with Driver("--folder", str(self.inner), "--inside") as d:
            self.assertEqual(len(d.read({"type": "jsonl", "path": "deep/r.jsonl"})), 1)
            for path in ("../secret.jsonl", "deep/../../secret.jsonl", str(self.top / "secret.jsonl"), "link.jsonl",
                         "up/secret.jsonl", ".."):
                with self.assertRaises(Failed) as caught:
                    d.read({"type": "jsonl", "path": path})
                self.assertEqual(caught.exception.code, "argument", path)
            with self.assertRaises(Failed) as caught:
                d.ask("check", source={"type": "jsonl", "path": "../secret.jsonl"})
            self.assertEqual(caught.exception.answer["pointer"], "/path")

    def test_what_is_no_file(self):
        with Driver("--folder", str(self.top)) as d:
            for path, code in (("none.jsonl", "not_found"), ("none/x.jsonl", "not_found"), ("inner", "argument"),
                               ("secret.jsonl/x", "argument")):
                with self.assertRaises(Failed) as caught:
                    d.read({"type": "jsonl", "path": path})
                self.assertEqual(caught.exception.code, code, path)


class Documents(unittest.TestCase):
    def problem(self, d, **members):
        with self.assertRaises(Failed) as caught:
            d.ask("check", **members)
        self.assertEqual(caught.exception.code, "argument")
        return caught.exception.answer["pointer"]

    def test_mistakes_are_named(self):
        mongo = {"type": "mongodb", "connection": "main", "database": "d", "collection": "c"}
        cases = [
            (None, ""), ([], ""), ({}, "/type"), ({"type": "xml"}, "/type"), ({"type": "jsonl"}, "/path"),
            ({"type": "jsonl", "path": ""}, "/path"), ({"type": "jsonl", "path": 1}, "/path"),
            ({"type": "jsonl", "path": "a/"}, "/path"), ({"type": "jsonl", "path": "a", "ID": "b"}, "/ID"),
            ({"type": "jsonl", "path": "a", "a/b~c": 1}, "/a~1b~0c"), ({"type": "jsonl", "path": "a", "id": ""}, "/id"),
            ({"type": "csv", "path": "a", "delimiter": ",,"}, "/delimiter"),
            ({"type": "csv", "path": "a", "delimiter": '"'}, "/delimiter"),
            ({**mongo, "connection": "no spaces"}, "/connection"), ({**mongo, "uri": "mongodb://h"}, "/uri"),
            ({**mongo, "database": "a b"}, "/database"), ({**mongo, "collection": "$x"}, "/collection"),
            ({**mongo, "query": {"_id": {"$oid": "nonsense"}}}, "/query"), ({**mongo, "query": "x"}, "/query"),
            ({**mongo, "projection": []}, "/projection"), ({**mongo, "id": "a..b"}, "/id"),
            ({**mongo, "id": "$a"}, "/id"), ({"type": "mongodb", "database": "d", "collection": "c"}, "/connection"),
            ({"type": "mongodb", "uri": "http://h", "database": "d", "collection": "c"}, "/uri"),
        ]
        with Driver() as d:
            for source, pointer in cases:
                self.assertEqual(self.problem(d, source=source), pointer, source)
            self.assertFalse(d.ask("check", source=mongo)["local"])
            self.assertTrue(d.ask("check", source={"type": "csv", "path": "a", "delimiter": "\t"})["local"])
        with Driver("--inside") as d:
            self.assertEqual(self.problem(d, source={"type": "mongodb", "uri": "mongodb://h", "database": "d",
                                                     "collection": "c"}), "/uri")

    def test_near_names_are_told(self):
        with Driver() as d, self.assertRaises(Failed) as caught:
            d.ask("check", source={"type": "csv", "path": "a", "delimter": ";"})
        self.assertIn("did you mean 'delimiter'?", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
