"""The contract as it is read from api/openapi.yaml: operations, references, schemas.

    contract = Contract.read("api/openapi.yaml")
    for op in contract.operations(): print(op.id, op.method, op.path)

What is wrong is collected in contract.problems as "file:pointer: what", all of it at once.
"""

import json
import re

import yaml

METHODS = ("get", "put", "post", "delete", "patch")
# Keywords that say something to readers and nothing to the check.
SPEECH = {"title", "description", "examples", "example", "x-default", "deprecated", "contentMediaType", "contentEncoding"}


class UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """PyYAML takes the last of two equal keys; here that is an error. Times stay texts."""


def _mapping(loader, node):
    seen = set()
    for key, _ in node.value:
        name = loader.construct_object(key)
        if name in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{name}' is there twice", key.start_mark)
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
UniqueKeys.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def escape(key):
    return str(key).replace("~", "~0").replace("/", "~1")


class Operation:
    def __init__(self, contract, path, method, node, shared):
        self.path, self.method, self.node = path, method.upper(), node
        self.pointer = f"/paths/{escape(path)}/{method}"
        self.id = node.get("operationId", "")
        self.role, self.scope = node.get("x-role"), node.get("x-scope")
        self.errors = node.get("x-errors", "problem")
        self.loose_query = node.get("x-loose-query", False)
        self.max_body = node.get("x-max-body", 0)
        self.tags = node.get("tags", [])
        self.parameters = [contract.resolve(p) for p in shared + node.get("parameters", [])]
        self.body = contract.resolve(node["requestBody"]) if "requestBody" in node else None
        self.responses = {str(code): contract.resolve(r) for code, r in node.get("responses", {}).items()}

    def body_schema(self):
        content = self.body["content"] if self.body else {}
        return content.get("application/json", {}).get("schema")

    def body_examples(self):
        """[(title, value)] of the JSON body, references resolved by the caller."""
        media = self.body["content"].get("application/json", {}) if self.body else {}
        if "example" in media:
            return [("", {"value": media["example"]})]
        return list(media.get("examples", {}).items())

    def inputs(self, where):
        return [p for p in self.parameters if p.get("in") == where]


class Contract:
    def __init__(self, root, name):
        self.root, self.name, self.problems = root, name, []

    @classmethod
    def read(cls, path, name=None):
        with open(path, encoding="utf-8") as file:
            return cls(yaml.load(file, UniqueKeys), name or path)

    def problem(self, pointer, text):
        line = f"{self.name}:{pointer}: {text}"
        if line not in self.problems:
            self.problems.append(line)

    def follow(self, ref):
        """The node that '#/a/b' names, or an empty one with a problem noted."""
        node = self.root
        for part in ref.removeprefix("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or part not in node:
                self.problem(ref, "there is no such thing")
                return {}
            node = node[part]
        return node

    def resolve(self, node):
        """Follow references of anything but schemas."""
        seen = set()
        while isinstance(node, dict) and "$ref" in node:
            if node["$ref"] in seen:
                self.problem(node["$ref"], "refers to itself")
                return {}
            seen.add(node["$ref"])
            node = self.follow(node["$ref"])
        return node

    def schema(self, node, pointer=""):
        """A schema with its reference replaced by what it names; members beside $ref are added,
        and may not contradict."""
        if not isinstance(node, dict) or "$ref" not in node:
            return node
        target = dict(self.schema(self.follow(node["$ref"]), pointer))
        for key, value in node.items():
            if key == "$ref":
                continue
            if key in target and key not in SPEECH and key != "default" and target[key] != value:
                self.problem(pointer, f"'{key}' says something else than in {node['$ref']}")
            target[key] = value
        return target

    def schema_name(self, node):
        """'Steps' for a node that is a reference to it and no more than that, else None."""
        if isinstance(node, dict) and str(node.get("$ref", "")).startswith("#/components/schemas/"):
            if not set(node) - SPEECH - {"$ref"}:
                return node["$ref"].rsplit("/", 1)[1]
        return None

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield Operation(self, path, method, item[method], item.get("parameters", []))

    def events(self, side):
        return self.root.get("x-events", {}).get(side, [])


def snake(name):
    """GenerateRequest -> generate_request, OpenAIImages -> open_ai_images."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
