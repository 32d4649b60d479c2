"""What the contract promises about itself: every operation says who may call it, what it may answer,
and every input has its limits."""

import re

from contract import compact, escape

ROLES = {"public", "viewer", "editor", "admin"}
SCOPES = {"read", "write", "admin"}
ERRORS = {"problem", "openai", "detail"}
BOUNDED_FORMATS = {"uuid", "sha256"}


def lint(contract):
    tags = {t["name"] for t in contract.root.get("tags", [])}
    ids = {}
    for op in contract.operations():
        operation(contract, op, tags)
        if op.id in ids:
            contract.problem(op.pointer, f"operationId '{op.id}' is also that of {ids[op.id]}")
        ids[op.id] = op.pointer
    for side in ("server", "client"):
        for i, event in enumerate(contract.events(side)):
            for key in ("name", "summary", "payload"):
                if key not in event:
                    contract.problem(f"/x-events/{side}/{i}", f"'{key}' is missing")
            if side == "client":
                bounded(contract, event["payload"], f"/x-events/{side}/{i}/payload", set())
    unused(contract)


def operation(contract, op, tags):
    def problem(text):
        contract.problem(op.pointer, text)

    if not re.fullmatch(r"[a-z][a-z0-9_]*", op.id):
        problem("operationId must be in snake_case")
    if not op.node.get("summary"):
        problem("a summary is missing")
    if not op.tags or set(op.tags) - tags:
        problem("tags must be some of " + ", ".join(sorted(tags)))
    for word, value, known in (("x-role", op.role, ROLES), ("x-scope", op.scope, SCOPES), ("x-errors", op.errors, ERRORS)):
        if value not in known:
            problem(f"{word} must be one of " + ", ".join(sorted(known)))
    if bool(op.max_body) != bool(op.body):
        problem("x-max-body goes with a requestBody")
    if op.body:
        if set(op.body["content"]) != {"application/json"}:
            problem("bodies are application/json")
        bounded(contract, op.body_schema(), op.pointer + "/requestBody", set())
        if not op.body_examples():
            problem("the body needs an example")
    responses(op, problem)
    parameters(contract, op, problem)


def responses(op, problem):
    wanted = {"400", "429", "500", "503"}
    if op.role != "public":
        wanted |= {"401", "403"}
    if op.body:
        wanted |= {"413", "415", "422"}
    if op.inputs("query"):
        wanted |= {"422"}
    if "{" in op.path:
        wanted |= {"404"}
    for code in sorted(wanted - set(op.responses)):
        problem(f"the response {code} is missing")
    if not any(code.startswith("2") for code in op.responses):
        problem("a response of success is missing")
    for code, response in op.responses.items():
        if not response.get("description"):
            problem(f"the response {code} needs a description")
        if code != "204" and code != "304" and not response.get("content"):
            problem(f"the response {code} needs a content")


def parameters(contract, op, problem):
    named = set(re.findall(r"{(\w+)}", op.path))
    if named != {p["name"] for p in op.inputs("path")}:
        problem("the path's parameters are not those described")
    for p in op.parameters:
        if p["in"] == "path" and not p.get("required"):
            problem(f"the path parameter '{p['name']}' is required")
        if p["in"] != "header":  # the server bounds all headers together
            bounded(contract, p["schema"], f"{op.pointer}/parameters/{p['name']}", set())


def bounded(contract, node, pointer, seen):
    """Inputs: every text, list and number has an end, every object says what it does with others."""
    if isinstance(node, dict) and "$ref" in node:
        key = compact(node)
        if key in seen:
            return
        seen.add(key)
    s = contract.schema(node, pointer)
    types = s.get("type", [])
    types = {types} if isinstance(types, str) else set(types)
    if "string" in types and not ({"maxLength", "enum"} & set(s) or s.get("format") in BOUNDED_FORMATS):
        contract.problem(pointer, "a text of a request needs maxLength")
    if "integer" in types and not types & {"string", "number", "boolean"} and "enum" not in s:
        if not {"minimum", "maximum"} <= set(s):
            contract.problem(pointer, "an integer of a request needs minimum and maximum")
    if "array" in types:
        if "maxItems" not in s:
            contract.problem(pointer, "a list of a request needs maxItems")
        if "items" in s:
            bounded(contract, s["items"], pointer + "/items", seen)
    if "object" in types:
        others = s.get("additionalProperties")
        if others is None:
            contract.problem(pointer, "an object of a request needs additionalProperties")
        if isinstance(others, dict):
            if "maxProperties" not in s:
                contract.problem(pointer, "an object with free members needs maxProperties")
            bounded(contract, others, pointer + "/additionalProperties", seen)
        for name, member in s.get("properties", {}).items():
            bounded(contract, member, f"{pointer}/properties/{escape(name)}", seen)
    for word in ("oneOf", "anyOf"):
        for i, inner in enumerate(s.get(word, [])):
            bounded(contract, inner, f"{pointer}/{word}/{i}", seen)


def unused(contract):
    """References that lead nowhere, and components that nothing refers to."""
    used = set()

    def walk(node):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                used.add(node["$ref"])
                contract.follow(node["$ref"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(contract.root)
    for kind, items in contract.root.get("components", {}).items():
        for name in items if kind != "securitySchemes" else ():
            if f"#/components/{kind}/{name}" not in used:
                contract.problem(f"/components/{kind}/{name}", "nothing refers to it")
