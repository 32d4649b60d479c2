"""C tables of the schemas that requests are checked with (struct schema of server/schema.h), and of
the routes (struct route of server/http.h).

Two schemas that check the same are one table. What struct schema cannot say is a problem with its
place, never left out silently.
"""

from contract import SPEECH, compact, snake

TYPES = {"object": 1, "array": 2, "string": 4, "integer": 8, "number": 16, "boolean": 32, "null": 64}
LIMITS = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "multipleOf"}
KNOWN = LIMITS | SPEECH | {"type", "enum", "properties", "required", "additionalProperties", "items", "uniqueItems", "format", "pattern", "oneOf", "anyOf", "default"}
# The formats of schema_format.c, and the pattern that means the same to other tools.
FORMATS = {"uuid": None, "date-time": None, "uri": None, "base64": None, "sha256": "^[0-9a-f]{64}$", "seed": "^[0-9]{1,20}$"}
SILENT_FORMATS = {"password"}
HEAD = "/* Generated from api/openapi.yaml by tools/openapi/generate.py. */\n"


def c_text(text):
    out = []
    for byte in text.encode():
        char = chr(byte)
        out.append({"\n": "\\n", '"': '\\"', "\\": "\\\\", "?": "\\?"}.get(char, char if 32 <= byte < 127 else f"\\{byte:03o}"))
    return '"' + "".join(out) + '"'


def c_number(value):
    return repr(float(value)) if isinstance(value, float) or abs(value) >= 2**31 else str(value)


class Tables:
    """Schemas by what they check. emit() makes tables until nothing refers to a missing one."""

    def __init__(self, contract):
        self.contract = contract
        self.names = {}  # what it checks -> C name
        self.lines = {}  # C name -> definition
        self.exported = []
        self.open = []  # being defined: a reference to one of them is a recursion
        self.recursive = []

    # ---- one schema ----

    def reference(self, node, pointer, hint):
        """'&schema_steps' for a schema, which is defined on the way."""
        name = self.contract.schema_name(node)
        if name:
            target = self.contract.follow(node["$ref"])
            if self.contract.schema_name(target):
                return self.reference(target, pointer, hint)
            return "&" + self.define(target, f"/components/schemas/{name}", "schema_" + snake(name))
        return "&" + self.define(self.contract.schema(node, pointer), pointer, hint)

    def define(self, schema, pointer, name):
        if name in self.open:  # a component inside itself
            if name not in self.recursive:
                self.recursive.append(name)
            return name
        if name in self.lines and pointer.startswith("/components/"):
            return name
        self.open.append(name)
        fields, extra = self.fields(schema, pointer, name)
        self.open.remove(name)
        key = (tuple(fields), tuple(x.replace(name, "@") for x in extra))
        key = (tuple(f.replace(name, "@") for f in fields), key[1])
        if key in self.names and name not in self.exported and name not in self.recursive:
            return self.names[key]
        while name in self.lines:
            name += "_"
        self.names.setdefault(key, name)
        static = "" if name in self.exported else "static "
        body = ",\n    ".join(fields)
        self.lines[name] = "".join(extra) + f"{static}const struct schema {name} = {{\n    {body},\n}};\n"
        return name

    def fields(self, s, pointer, name):
        """[".minimum = 1", ...] and the definitions of arrays they point to."""
        if s is True or s == {}:
            return [".types = SCHEMA_ANY"], []
        fields, extra = [], []
        for word in sorted(set(s) - KNOWN):
            self.contract.problem(pointer, f"'{word}' cannot be checked by struct schema")
        default = [f".initial = {c_text(compact(s['default']))}"] if "default" in s else []
        alternatives = s.get("oneOf") or s.get("anyOf")
        if alternatives:
            self.alternatives(s, alternatives, pointer, name, fields, extra)
            return fields + default, extra
        types = s.get("type", [])
        types = [types] if isinstance(types, str) else types
        if not types:
            for word in sorted(set(s) & (KNOWN - SPEECH)):
                self.contract.problem(pointer, f"'{word}' needs a type beside it")
        fields.append(".types = " + (" | ".join("SCHEMA_" + t.upper() for t in types) or "SCHEMA_ANY"))
        if "object" in types:
            self.object(s, pointer, name, fields, extra)
        if "array" in types:
            self.array(s, pointer, name, fields)
        if "string" in types:
            self.string(s, pointer, fields)
        if {"integer", "number"} & set(types):
            self.number(s, pointer, types, fields)
        if "enum" in s:
            self.choices(s, types, pointer, name, fields, extra)
        return fields + default, extra

    def object(self, s, pointer, name, fields, extra):
        members, required = s.get("properties", {}), s.get("required", [])
        for missing in set(required) - set(members):
            self.contract.problem(pointer, f"'{missing}' is required but not described")
        if members:
            rows = [
                f"    {{{c_text(key)}, {self.reference(value, f'{pointer}/properties/{key}', f'{name}_{snake(key)}')}, {'true' if key in required else 'false'}}},\n"
                for key, value in members.items()
            ]
            extra.append(f"static const struct schema_member {name}_members[] = {{\n{''.join(rows)}}};\n")
            fields += [f".members = {name}_members", f".member_count = {len(members)}"]
        others = s.get("additionalProperties", True)
        if others is not False:
            fields.append(f".others = {self.reference(others if others is not True else {}, pointer + '/additionalProperties', name + '_others') if others is not True else '&schema_any'}")
        for word, field in (("minProperties", "min_members"), ("maxProperties", "max_members")):
            if word in s:
                fields.append(f".{field} = {s[word]}")

    def array(self, s, pointer, name, fields):
        if "items" in s:
            fields.append(f".items = {self.reference(s['items'], pointer + '/items', name + '_item')}")
        for word, field in (("minItems", "min_items"), ("maxItems", "max_items")):
            if word in s:
                fields.append(f".{field} = {s[word]}")
        if s.get("uniqueItems"):
            if s.get("maxItems", 10**9) > 200:
                self.contract.problem(pointer, "uniqueItems compares all pairs: maxItems must be at most 200")
            fields.append(".unique_items = true")

    def string(self, s, pointer, fields):
        for word, field in (("minLength", "min_length"), ("maxLength", "max_length")):
            if word in s:
                fields.append(f".{field} = {s[word]}")
        known = s.get("format") in FORMATS
        if "format" in s and not known and s["format"] not in SILENT_FORMATS:
            self.contract.problem(pointer, f"the format '{s['format']}' is not known")
        if known:
            fields.append(f".format = {c_text(s['format'])}")
        if "pattern" in s and (not known or FORMATS[s["format"]] != s["pattern"]):
            self.contract.problem(pointer, "a pattern is checked only as that of a format (tables.py)")

    def number(self, s, pointer, types, fields):
        low = s.get("exclusiveMinimum", s.get("minimum"))
        if "exclusiveMinimum" in s and "minimum" in s:
            self.contract.problem(pointer, "minimum and exclusiveMinimum together")
        if low is not None or "maximum" in s:
            fields.append(f".minimum = {c_number(low) if low is not None else '-INFINITY'}")
            fields.append(f".maximum = {c_number(s['maximum']) if 'maximum' in s else 'INFINITY'}")
        if "exclusiveMinimum" in s:
            fields.append(".exclusive_minimum = true")
        if "multipleOf" in s:
            if "number" in types:
                self.contract.problem(pointer, "multipleOf is for integers")
            fields.append(f".multiple_of = {c_number(s['multipleOf'])}")

    def choices(self, s, types, pointer, name, fields, extra):
        values = [v for v in s["enum"] if v is not None]
        kinds = {type(v) for v in values}
        if len(kinds) > 1 or kinds - {str, int, bool} or (None in s["enum"]) != ("null" in types):
            self.contract.problem(pointer, "an enum is of texts, integers or booleans, and null if the type says so")
        texts = [v if isinstance(v, str) else compact(v) for v in values]
        row = ", ".join(map(c_text, texts))
        extra.append(f"static const char *const {name}_choices[] = {{{row}, NULL}};\n")
        fields.append(f".choices = {name}_choices")

    def alternatives(self, s, alternatives, pointer, name, fields, extra):
        word = "oneOf" if "oneOf" in s else "anyOf"
        for other in sorted(set(s) - SPEECH - {word, "default"}):
            self.contract.problem(pointer, f"'{other}' beside {word}: write it into the alternatives")
        seen = set()
        rows = []
        for i, node in enumerate(alternatives):
            types = self.types_of(node)
            if types & seen:
                self.contract.problem(f"{pointer}/{word}/{i}", "alternatives must differ in type, or messages would be guesses")
            seen |= types
            rows.append(self.reference(node, f"{pointer}/{word}/{i}", f"{name}_{i}"))
        extra.append(f"static const struct schema *const {name}_any[] = {{{', '.join(rows)}, NULL}};\n")
        fields.append(f".any = {name}_any")

    def types_of(self, node):
        s = self.contract.schema(node)
        types = set()
        for inner in s.get("oneOf", []) + s.get("anyOf", []):
            types |= self.types_of(inner)
        own = s.get("type", [] if types else list(TYPES))
        types |= {own} if isinstance(own, str) else set(own)
        return types | ({"integer"} if "number" in types else set())

    # ---- the files ----

    def export(self, node, pointer):
        """A schema with a name that C code may use."""
        name = self.contract.schema_name(node)
        if not name:
            self.contract.problem(pointer, "give this schema a name in components/schemas")
            return "schema_any"
        symbol = "schema_" + snake(name)
        if symbol not in self.exported:
            self.exported.append(symbol)
            if symbol in self.lines:  # defined before it was known to be wanted outside
                self.lines[symbol] = self.lines[symbol].replace(f"static const struct schema {symbol} =", f"const struct schema {symbol} =")
        return self.reference(node, pointer, "").removeprefix("&")

    def query(self, op):
        members = {}
        required = []
        for p in op.inputs("query"):
            members[p["name"]] = p["schema"]
            if p.get("required"):
                required.append(p["name"])
        node = {"type": "object", "properties": members, "required": required, "additionalProperties": bool(op.loose_query)}
        name = f"query_{op.id}" if members else "query_loose" if op.loose_query else "query_none"
        if name not in self.exported:
            self.exported.append(name)
        if name not in self.lines:
            self.define(node, op.pointer + "/parameters", name)
        return name

    def source(self):
        forward = "".join(f"static const struct schema {n};\n" for n in self.recursive if n not in self.exported)
        any_ = "static const struct schema schema_any = {.types = SCHEMA_ANY};\n"
        return HEAD + '#include "api/api_schemas.h"\n\n#include <math.h>\n\n' + any_ + forward + "\n" + "\n".join(self.lines.values())

    def header(self):
        rows = "".join(f"extern const struct schema {n};\n" for n in self.exported)
        return HEAD + '#ifndef API_API_SCHEMAS_H\n#define API_API_SCHEMAS_H\n\n#include "server/schema.h"\n\n' + rows + "\n#endif\n"


def routes(contract, tables):
    """(api_routes.c, api_routes.h)"""
    rows, handlers = [], []
    for op in contract.operations():
        body = tables.export(op.body_schema(), op.pointer + "/requestBody") if op.body else None
        rows.append(
            f"    {{.method = {c_text(op.method)},\n     .path = {c_text(op.path)},\n     .operation = {c_text(op.id)},\n"
            f"     .role = ROLE_{str(op.role).upper()},\n     .scope = {c_text(str(op.scope))},\n"
            + (f"     .max_body = {op.max_body},\n     .body_required = {'true' if op.body.get('required') else 'false'},\n     .body = &{body},\n" if op.body else "")
            + f"     .query = &{tables.query(op)},\n"
            + (f"     .errors = ERRORS_{op.errors.upper()},\n" if op.errors != "problem" else "")
            + f"     .handle = api_{op.id}}},\n"
        )
        handlers.append(f"int api_{op.id}(struct request *r, struct response *w, struct err *e);\n")
    source = HEAD + '#include "api/api_routes.h"\n\n#include "api/api_schemas.h"\n\n'
    source += f"const struct route api_routes[] = {{\n{''.join(rows)}}};\n\nconst size_t api_route_count = sizeof api_routes / sizeof *api_routes;\n"
    header = HEAD + "/* Every operation has its handler; one that is missing is found by the linker. */\n"
    header += '#ifndef API_API_ROUTES_H\n#define API_API_ROUTES_H\n\n#include "server/http.h"\n\n'
    header += "extern const struct route api_routes[];\nextern const size_t api_route_count;\n\n" + "".join(handlers) + "\n#endif\n"
    return source, header


def examples(contract, tables):
    """(api_examples.c, api_examples.h): the examples of bodies, for a test to check them."""
    rows = []
    for op in contract.operations():
        for _, node in op.body_examples():
            value = contract.resolve(node).get("value")
            rows.append(f"    {{{c_text(op.id)}, &{tables.export(op.body_schema(), op.pointer)}, {c_text(compact(value))}}},\n")
    header = HEAD + '#ifndef API_API_EXAMPLES_H\n#define API_API_EXAMPLES_H\n\n#include "server/schema.h"\n\n'
    header += "struct api_example {\n    const char *operation;\n    const struct schema *schema;\n    const char *json;\n};\n"
    header += "extern const struct api_example api_examples[];\nextern const size_t api_example_count;\n\n#endif\n"
    source = HEAD + '#include "api/api_examples.h"\n\n#include "api/api_schemas.h"\n\n'
    source += f"const struct api_example api_examples[] = {{\n{''.join(rows)}}};\n\nconst size_t api_example_count = sizeof api_examples / sizeof *api_examples;\n"
    return source, header
