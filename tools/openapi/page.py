"""The page of GET /docs: the contract for people, in one file without scripts or anything from
elsewhere. Its only style sheet is allowed by its hash, so that the policy can forbid all else.

    html, policy = page.render(contract)
"""

import base64
import hashlib
import json
import os
import re
from html import escape

from contract import compact

BASE = "http://localhost:8000"


# ---- texts ----


def inline(text):
    """`code`, **bold**, powers of two, dashes; everything else as it is."""
    out = []
    for i, part in enumerate(str(text).split("`")):
        if i % 2:
            out.append(f"<code>{escape(part)}</code>")
        else:
            part = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(part, quote=False))
            out.append(re.sub(r"\b2\^(\d+)( - 1\b)?", lambda m: f"2<sup>{m[1]}</sup>" + (" − 1" if m[2] else ""), part).replace(" - ", " – "))
    return "".join(out)


def table(lines):
    cells = [[c.strip() for c in line.strip().strip("|").split("|")] for line in lines]
    head = "".join(f"<th scope=col>{inline(c)}" for c in cells[0])
    body = "".join("<tr>" + "".join(f"<td>{inline(c)}" for c in row) for row in cells[2:])
    return f"<div class=scroll><table><tr>{head}{body}</table></div>"


def markdown(text):
    """Paragraphs, code that is indented by four, tables."""
    out = []
    for block in re.split(r"\n\s*\n", str(text).rstrip()):
        lines = block.split("\n")
        if all(line.startswith("    ") for line in lines):
            out.append("<pre><code>" + escape("\n".join(line[4:] for line in lines)) + "</code></pre>")
        elif lines[0].startswith("|"):
            out.append(table(lines))
        else:
            out.append(f"<p>{inline(' '.join(line.strip() for line in lines))}")
    return "\n".join(out)


def breakable(path):
    return escape(path).replace("/", "/<wbr>").replace("_", "_<wbr>")


# ---- schemas in words ----


class Words:
    def __init__(self, contract):
        self.contract = contract

    def type(self, node):
        """What a value is: linked names, types, 'list of ...'."""
        name = self.contract.schema_name(node) or self.linked(node)
        s = self.contract.schema(node)
        if name and self.has_section(name):
            return f'<a href="#schema-{name}">{name}</a>'
        for word in ("oneOf", "anyOf"):
            if word in s:
                return " or ".join(self.type(n) for n in s[word])
        types = s.get("type", "any value")
        types = [types] if isinstance(types, str) else types
        out = []
        for t in types:
            if t == "array":
                out.append("list of " + self.type(s["items"]) if "items" in s else "list")
            elif t == "object" and isinstance(s.get("additionalProperties"), dict):
                out.append("object of " + self.type(s["additionalProperties"]))
            elif t == "string" and "format" in s:
                out.append({"date-time": "time", "uuid": "UUID", "sha256": "SHA-256", "seed": "decimal string", "password": "string"}.get(s["format"], s["format"]))
            else:
                out.append(t)
        return " or ".join(out)

    def linked(self, node):
        ref = node.get("$ref", "") if isinstance(node, dict) else ""
        return ref.rsplit("/", 1)[1] if ref.startswith("#/components/schemas/") else None

    def has_section(self, name):
        s = self.contract.schema({"$ref": f"#/components/schemas/{name}"})
        types = s.get("type", [])
        return "properties" in s or "object" in ([types] if isinstance(types, str) else types) or ("anyOf" in s and any("properties" in self.contract.schema(n) for n in s["anyOf"]))

    def limits(self, node):
        """['1 to 1000', 'a multiple of 8', ...]"""
        s = self.contract.schema(node)
        out = []
        if "enum" in s:
            out.append(" ".join(f"<code>{escape('null' if v is None else v if isinstance(v, str) else compact(v))}</code>" for v in s["enum"]))
        low, high = s.get("minimum"), s.get("maximum")
        if "exclusiveMinimum" in s:
            out.append(f"above {s['exclusiveMinimum']}" + (f", at most {number(high)}" if high is not None else ""))
        elif low is not None and high is not None:
            out.append(f"{number(low)} to {number(high)}")
        elif low is not None or high is not None:
            out.append(f"at least {number(low)}" if low is not None else f"at most {number(high)}")
        if "multipleOf" in s:
            out.append(f"multiple of {s['multipleOf']}")
        for word, one in (("Length", "characters"), ("Items", "items"), ("Properties", "members")):
            low, high = s.get("min" + word), s.get("max" + word)
            if "format" in s and word == "Length" and s["format"] != "password":
                continue
            if low and high:
                out.append(f"{number(low)} to {number(high)} {one}")
            elif high:
                out.append(f"at most {number(high)} {one}")
            elif low:
                out.append(f"at least {low} {one.rstrip('s') if low == 1 else one}")
        if s.get("uniqueItems"):
            out.append("no item twice")
        if "default" in s:
            out.append(f"default <code>{escape(s['default'] if isinstance(s['default'], str) else compact(s['default']))}</code>")
        elif "x-default" in s:
            out.append(f"default {inline(s['x-default'])}")
        return out

    def row(self, name, node, required=False, place=""):
        s = self.contract.schema(node)
        facts = [self.type(node)] + self.limits(node)
        if place:
            facts.insert(0, place)
        badge = " <b class=req>required</b>" if required else ""
        text = s.get("description", "")
        return (
            f"<dt><code>{breakable(name)}</code>{badge}<dd><span class=facts>{' · '.join(facts)}</span>"
            + (f"<span class=say>{inline(' '.join(text.split()))}</span>" if text else "")
        )

    def parameter(self, p):
        """What a value's own default and meaning are does not count for a filter."""
        node = {**self.contract.schema(p["schema"]), "description": p.get("description", "")}
        node.pop("x-default", None)
        return self.row(p["name"], node, p.get("required"), p["in"])

    def members(self, node):
        """The members of an object, those of objects without a name of their own below it."""
        s = self.contract.schema(node)
        rows = []
        for inner in s.get("oneOf", []) + s.get("anyOf", []):
            inner_schema = self.contract.schema(inner)
            if "properties" in inner_schema and not self.linked(inner):
                rows += self.member_rows(inner_schema, "")
        rows += self.member_rows(s, "")
        return f"<dl>{''.join(rows)}</dl>" if rows else ""

    def member_rows(self, s, prefix):
        rows = []
        for name, member in s.get("properties", {}).items():
            rows.append(self.row(prefix + name, member, name in s.get("required", [])))
            if not self.linked(member):
                inner = self.contract.schema(member)
                rows += self.member_rows(inner, f"{prefix}{name}.")
                if isinstance(inner.get("items"), dict) and not self.linked(inner["items"]):
                    rows += self.member_rows(self.contract.schema(inner["items"]), f"{prefix}{name}[].")
        return rows


def number(value):
    if isinstance(value, int) and abs(value) >= 10000:
        return {2**63 - 1: "2<sup>63</sup> − 1", 2**53 - 1: "2<sup>53</sup> − 1"}.get(value, f"{value:,}")
    return str(value)


# ---- operations ----


def curl(op, value):
    """A command that can be pasted into a shell."""
    path = op.path
    for p in op.inputs("path"):
        path = path.replace("{" + p["name"] + "}", str(p.get("example", "0192f0c1-7b7a-7c1e-9a53-5d0c7f4f2b11")))
    query = [f"{p['name']}={p.get('example', 1)}" for p in op.inputs("query") if p.get("required")]
    url = BASE + path + ("?" + "&".join(query) if query else "")
    lines = ["curl " + (f"-X {op.method} " if op.method not in ("GET", "POST") or op.body is None and op.method == "POST" else "") + (f"'{url}'" if query else url)]
    if op.body:
        lines.append("  -H 'Content-Type: application/json'")
        text = json.dumps(value, ensure_ascii=False, indent=2 if len(compact(value)) > 70 else None)
        lines.append("  -d '" + text.replace("'", "'\\''") + "'")
    return escape(" \\\n".join(lines))


def operation(contract, words, op):
    role = {"public": "everyone"}.get(op.role, op.role)
    out = [
        f'<article id="{op.id}"><h3><a href="#{op.id}">{escape(op.node["summary"])}</a></h3>',
        f'<p class=route><b class="verb {op.method.lower()}">{op.method}</b> <code>{breakable(op.path)}</code> <span class=who>{role}</span>',
    ]
    if op.node.get("description"):
        out.append(markdown(op.node["description"]))
    if op.parameters:
        rows = [words.parameter(p) for p in op.parameters]
        out.append(f"<h4>Parameters</h4><dl>{''.join(rows)}</dl>")
    if op.body:
        node = op.body_schema()
        size = f"{op.max_body // 1048576} MiB" if op.max_body >= 1048576 else f"{op.max_body // 1024} KiB"
        optional = "" if op.body.get("required") else ", may be left out"
        out.append(f"<h4>Body</h4><p class=facts>{words.type(node)}, JSON of at most {size}{optional}")
        if op.path != "/api/v1/experiments/plan":
            out.append(words.members(node))
    for title, node in op.body_examples() or [("", {})]:
        node = contract.resolve(node)
        label = escape(node.get("summary", "")) or "Example"
        out.append(f"<details><summary>{label}</summary><pre><code>{curl(op, node.get('value'))}</code></pre></details>")
    out.append(responses(contract, words, op))
    return "\n".join(out) + "</article>"


def responses(contract, words, op):
    def row(code, r):
        kinds = []
        for kind, media in r.get("content", {}).items():
            s = media.get("schema", {})
            shape = words.type(s) if "json" in kind else ""
            kinds.append(f"<code>{escape(kind)}</code>{' ' + shape if shape and shape != 'object' else ''}")
        headers = ", ".join(f"<code>{escape(h)}</code>" for h in r.get("headers", {}))
        facts = " · ".join(kinds) + (f" · headers {headers}" if headers else "")
        return f'<dt><b class="code c{code[0]}">{code}</b><dd><span class=say>{inline(r["description"])}</span>' + (f"<span class=facts>{facts}</span>" if facts else "")

    good = [row(c, contract.resolve(r)) for c, r in op.responses.items() if c[0] in "23"]
    bad = [(c, row(c, contract.resolve(r))) for c, r in op.responses.items() if c[0] in "45"]
    codes = " ".join(c for c, _ in bad)
    return f"<h4>Answers</h4><dl>{''.join(good)}</dl><details><summary>Errors {codes}</summary><dl>{''.join(r for _, r in bad)}</dl></details>"


def events(contract, words):
    out = ['<section id="events"><h2>Events</h2>', markdown(contract.root["x-events"].get("description", ""))]
    for side, title in (("server", "From the server"), ("client", "From the client")):
        out.append(f"<article><h3>{title}</h3><dl>")
        for event in contract.events(side):
            room = f" · room <code>{escape(event['room'])}</code>" if "room" in event else ""
            text = event["summary"] + ("." if event.get("description") else "")
            out.append(f"<dt><code>{breakable(event['name'])}</code><dd><span class=facts>{words.type(event['payload'])}{room}</span><span class=say>{inline(text + ' ' + event.get('description', ''))}</span>")
        out.append("</dl></article>")
    return "\n".join(out) + "</section>"


def problems(contract):
    out = ['<section id="problems"><h2>Problems</h2><dl>']
    for row in contract.root["x-problems"]:
        codes = " ".join(f'<b class="code c{str(status)[0]}">{status}</b>' for status in row["status"])
        out.append(f'<dt id="problem-{row["code"]}"><code>{breakable(row["code"])}</code><dd>{codes} <span class=say>{inline(row["text"])}</span>')
    return "".join(out) + "</dl></section>"


def schemas(contract, words):
    out = ['<section id="schemas"><h2>Schemas</h2>']
    for name in sorted(contract.root["components"]["schemas"]):
        if not words.has_section(name):
            continue
        node = {"$ref": f"#/components/schemas/{name}"}
        s = contract.schema(node)
        out.append(f'<article id="schema-{name}"><h3><a href="#schema-{name}">{name}</a></h3>')
        if s.get("description"):
            out.append(markdown(s["description"]))
        if "anyOf" in s or "oneOf" in s:
            kinds = " or ".join(words.type(n) for n in s.get("anyOf", []) + s.get("oneOf", []))
            out.append(f"<p class=facts>{kinds}")
        elif isinstance(s.get("additionalProperties"), dict):
            out.append(f"<p class=facts>any name: {words.type(s['additionalProperties'])}")
        out.append(words.members(node))
        for example in s.get("examples", []):
            out.append(f"<pre><code>{escape(compact(example))}</code></pre>")
        out.append("</article>")
    return "\n".join(out) + "</section>"


def title(tag):
    return tag.get("x-displayName", tag["name"].capitalize())


def contents(contract):
    out = []
    for tag in contract.root["tags"]:
        rows = "".join(
            f'<li><a href="#{op.id}"><b class="verb {op.method.lower()}">{op.method}</b>{escape(op.node["summary"])}</a>'
            for op in contract.operations()
            if tag["name"] == op.tags[0]
        )
        out.append(f'<details><summary>{escape(title(tag))}</summary><ul><li><a href="#tag-{tag["name"]}">About</a>{rows}</ul></details>')
    return "".join(out) + '<p class=alone><a href="#events">Events</a><p class=alone><a href="#problems">Problems</a><p class=alone><a href="#schemas">Schemas</a>'


def render(contract):
    words = Words(contract)
    info = contract.root["info"]
    with open(os.path.join(os.path.dirname(__file__), "page.css"), encoding="utf-8") as file:
        style = file.read()
    sections = []
    for tag in contract.root["tags"]:
        ops = [operation(contract, words, op) for op in contract.operations() if op.tags[0] == tag["name"]]
        sections.append(f'<section id="tag-{tag["name"]}"><h2>{escape(title(tag))}</h2>{markdown(tag.get("description", ""))}{"".join(ops)}</section>')
    html = f"""<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<meta name=color-scheme content="light dark">
<title>{escape(info["title"])} {escape(info["version"])}: API</title>
<link rel=icon href="data:,">
<style>{style}</style>
<header><h1>{escape(info["title"])} <small>{escape(info["version"])}</small></h1>
<p>{inline(info["summary"])} <a href="/openapi.yaml">YAML</a> <a href="/openapi.json">JSON</a></header>
<div class=layout>
<nav aria-label=Contents>{contents(contract)}</nav>
<main>
<section id=start>{markdown(info["description"])}</section>
{"".join(sections)}
{events(contract, words)}
{problems(contract)}
{schemas(contract, words)}
</main>
</div>
</html>
"""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return html, policy
