#!/usr/bin/env python3
"""From api/openapi.yaml: C tables of routes and schemas, the contract as text and JSON, and the page
of GET /docs.

    generate.py api/openapi.yaml OUTDIR     write api_routes.c/.h, api_schemas.c/.h, api_texts.c/.h,
                                            api_examples.c/.h
    generate.py --check api/openapi.yaml    only look for problems

Exit status 1 with a line "file:pointer: what" for every problem.
"""

import hashlib
import json
import os
import sys

import yaml

import lint
import page
import tables
from contract import Contract
from tables import HEAD, c_text


def split_lines(text, width=4000):
    """Long lines are cut, because C literals should not be longer than 4095 bytes."""
    out = []
    for line in text.splitlines(keepends=True):
        out += [line[i : i + width] for i in range(0, len(line), width)]
    return out


def texts(contract, yaml_text):
    """(api_texts.c, api_texts.h)"""
    html, policy = page.render(contract)
    json_text = json.dumps(contract.root, ensure_ascii=False, indent=1) + "\n"
    source = HEAD + '#include "api/api_texts.h"\n\n'
    header = HEAD + "#ifndef API_API_TEXTS_H\n#define API_API_TEXTS_H\n\n#include <stddef.h>\n\nstruct api_text {\n    const char *bytes;\n    size_t size; /* without the NUL that follows */\n    const char *etag;\n};\n"
    for name, text in (("api_text_yaml", yaml_text), ("api_text_json", json_text), ("api_text_docs", html)):
        lines = "\n".join("    " + c_text(piece) for piece in split_lines(text))
        etag = hashlib.sha256(text.encode()).hexdigest()[:32]
        source += f"static const char {name}_bytes[] =\n{lines};\n"
        source += f"const struct api_text {name} = {{{name}_bytes, sizeof {name}_bytes - 1, {c_text(chr(34) + etag + chr(34))}}};\n\n"
        header += f"extern const struct api_text {name};\n"
    source += f"const char api_docs_policy[] = {c_text(policy)};\n"
    header += "/* The page's Content-Security-Policy: its one style sheet is named by its hash. */\nextern const char api_docs_policy[];\n\n#endif\n"
    return source, header


def main(arguments):
    check = arguments[:1] == ["--check"]
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    path = arguments[1] if check else arguments[0]
    try:
        contract = Contract.read(path, "api/openapi.yaml")
    except (yaml.YAMLError, OSError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    lint.lint(contract)
    made = {}
    if not contract.problems:
        table = tables.Tables(contract)
        made["api_routes.c"], made["api_routes.h"] = tables.routes(contract, table)
        made["api_examples.c"], made["api_examples.h"] = tables.examples(contract, table)
        for i, event in enumerate(contract.events("client")):
            table.export(event["payload"], f"/x-events/client/{i}")
        made["api_schemas.c"], made["api_schemas.h"] = table.source(), table.header()
        with open(path, encoding="utf-8") as file:
            made["api_texts.c"], made["api_texts.h"] = texts(contract, file.read())
    for line in contract.problems:
        print(line, file=sys.stderr)
    if contract.problems or check:
        return 1 if contract.problems else 0
    for name, content in made.items():
        with open(os.path.join(arguments[1], name), "w", encoding="utf-8") as file:
            file.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
