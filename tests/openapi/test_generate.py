"""tools/openapi/generate.py: what it makes of the contract, and what it refuses, with the place."""

import base64
import copy
import hashlib
import html.parser
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"])
CONTRACT = SOURCE / "api" / "openapi.yaml"
GENERATE = SOURCE / "tools" / "openapi" / "generate.py"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def generate(*arguments):
    return subprocess.run([sys.executable, "-B", GENERATE, *map(str, arguments)], capture_output=True, text=True, timeout=60)


class Refusals(unittest.TestCase):
    """One change to the real contract, one problem."""

    @classmethod
    def setUpClass(cls):
        cls.root = yaml.load(CONTRACT.read_text(encoding="utf-8"), LOADER)

    def change(self, change):
        root = copy.deepcopy(self.root)
        change(root)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "openapi.yaml"
            path.write_text(yaml.dump(root, Dumper=DUMPER, sort_keys=False, allow_unicode=True), encoding="utf-8")
            return generate(path, folder)

    def refused(self, change, line):
        result = self.change(change)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("api/openapi.yaml:" + line, result.stderr.splitlines())

    def schema(self, name, **members):
        return lambda root: root["components"]["schemas"][name].update(members)

    def operation(self, path, method, change):
        return lambda root: change(root["paths"][path][method])

    def test_unchanged_it_passes(self):
        self.assertEqual(self.change(lambda root: None).stderr, "")

    def test_keyword_without_a_field(self):
        self.refused(self.schema("Steps", exclusiveMaximum=5), "/components/schemas/Steps: 'exclusiveMaximum' cannot be checked by struct schema")

    def test_pattern(self):
        self.refused(self.schema("Tag", pattern="^a"), "/components/schemas/Tag: a pattern is checked only as that of a format (tables.py)")

    def test_unknown_format(self):
        self.refused(self.schema("Tag", format="email"), "/components/schemas/Tag: the format 'email' is not known")

    def test_alternatives_of_one_type(self):
        self.refused(
            lambda root: root["components"]["schemas"]["SpecTest"]["anyOf"].append({"type": "string", "maxLength": 3}),
            "/components/schemas/SpecTest/anyOf/2: alternatives must differ in type, or messages would be guesses",
        )

    def test_keyword_beside_alternatives(self):
        self.refused(self.schema("SpecTest", maxLength=4), "/components/schemas/SpecTest: 'maxLength' beside anyOf: write it into the alternatives")

    def test_text_without_an_end(self):
        self.refused(
            lambda root: root["components"]["schemas"]["RunStart"]["properties"].update(note={"type": "string"}),
            "/paths/~1api~1v1~1experiments~1{id}~1start/post/requestBody/properties/note: a text of a request needs maxLength",
        )

    def test_open_object(self):
        self.refused(
            lambda root: root["components"]["schemas"]["JobChange"].pop("additionalProperties"),
            "/paths/~1api~1v1~1jobs~1{id}/patch/requestBody: an object of a request needs additionalProperties",
        )

    def test_required_but_not_described(self):
        self.refused(self.schema("JobChange", required=["priority", "colour"]), "/components/schemas/JobChange: 'colour' is required but not described")

    def test_contradiction_beside_a_reference(self):
        self.refused(
            lambda root: root["components"]["schemas"]["JobChange"]["properties"]["priority"].update(enum=["low"]),
            "/paths/~1api~1v1~1jobs~1{id}/patch/requestBody/properties/priority: 'enum' says something else than in #/components/schemas/Priority",
        )

    def test_reference_to_nothing(self):
        self.refused(
            lambda root: root["components"]["schemas"]["JobChange"]["properties"]["priority"].update({"$ref": "#/components/schemas/Nothing"}),
            "#/components/schemas/Nothing: there is no such thing",
        )

    def test_component_that_nothing_uses(self):
        self.refused(lambda root: root["components"]["schemas"].update(Lonely={"type": "null"}), "/components/schemas/Lonely: nothing refers to it")

    def test_operation_without_role(self):
        self.refused(
            self.operation("/api/v1/queue", "get", lambda op: op.pop("x-role")),
            "/paths/~1api~1v1~1queue/get: x-role must be one of admin, editor, public, viewer",
        )

    def test_operation_without_a_response(self):
        self.refused(
            self.operation("/api/v1/generate", "post", lambda op: op["responses"].pop("422")),
            "/paths/~1api~1v1~1generate/post: the response 422 is missing",
        )

    def test_operation_twice(self):
        self.refused(
            self.operation("/version", "get", lambda op: op.update(operationId="healthz")),
            "/paths/~1version/get: operationId 'healthz' is also that of /paths/~1healthz/get",
        )

    def test_path_parameter_without_description(self):
        self.refused(
            lambda root: root["paths"]["/api/v1/jobs/{id}"].pop("parameters"),
            "/paths/~1api~1v1~1jobs~1{id}/get: the path's parameters are not those described",
        )

    def test_key_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "openapi.yaml"
            path.write_text("openapi: 3.1.0\nopenapi: 3.1.0\n", encoding="utf-8")
            result = generate(path, folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn("'openapi' is there twice", result.stderr)

    def test_usage(self):
        self.assertEqual(generate().returncode, 2)


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.tags, self.outside = set(), set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for key, value in attributes:
            if key == "id":
                assert value not in self.ids, f"the id {value} is there twice"
                self.ids.add(value)
            if key == "href" and value.startswith("#"):
                self.links.add(value[1:])
            if key in ("src", "srcset", "style") or key.startswith("on") or (key == "href" and "//" in value):
                self.outside.append((tag, key, value))


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(SOURCE / "tools" / "openapi"))
        import contract
        import page

        cls.contract = contract.Contract.read(CONTRACT, "api/openapi.yaml")
        cls.html, cls.policy = page.render(cls.contract)

    def test_two_runs_make_the_same(self):
        with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
            for folder in (a, b):
                self.assertEqual(generate(CONTRACT, folder).returncode, 0)
            for path in pathlib.Path(a).iterdir():
                self.assertEqual(path.read_bytes(), (pathlib.Path(b) / path.name).read_bytes(), path.name)

    def test_every_operation_has_its_route_and_handler(self):
        with tempfile.TemporaryDirectory() as folder:
            generate(CONTRACT, folder)
            routes = (pathlib.Path(folder) / "api_routes.c").read_text(encoding="utf-8")
        for op in self.contract.operations():
            row = routes.index(f'.operation = "{op.id}",')
            self.assertIn(f".handle = api_{op.id}}}", routes[row : row + 500])
        self.assertEqual(routes.count(".handle ="), len(list(self.contract.operations())))

    def test_page_stands_alone(self):
        page = Page(self.html)
        self.assertEqual(page.outside, [])
        self.assertNotIn("script", page.tags)
        style = re.search(r"<style>(.*?)</style>", self.html, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertIn(f"style-src 'sha256-{digest}'", self.policy)
        self.assertTrue(self.policy.startswith("default-src 'none'"))

    def test_page_has_every_operation_and_no_dead_link(self):
        page = Page(self.html)
        self.assertLessEqual({op.id for op in self.contract.operations()}, page.ids)
        self.assertEqual(page.links - page.ids, set())


if __name__ == "__main__":
    unittest.main()
