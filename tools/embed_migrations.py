#!/usr/bin/env python3
"""Write the migrations as one C table: embed_migrations.py OUT.c FILE.sql ...

A file is NNNN-name.sqlite.sql, NNNN-name.postgres.sql, or NNNN-name.sql for both. Every number has
each dialect once, and numbers have no gaps, or the build fails."""

import hashlib
import pathlib
import re
import sys

NAME = re.compile(r"(\d{4})-([a-z0-9-]+)(?:\.(sqlite|postgres))?\.sql")
DIALECTS = {"sqlite": "DIALECT_SQLITE", "postgres": "DIALECT_POSTGRES"}


def c_string(text):
    """One literal a line, so that no compiler's limit on one is reached."""
    lines = []
    for line in text.splitlines(keepends=True):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'        "{escaped}"')
    return "\n".join(lines)


def rows(paths):
    seen = {}
    for path in sorted(paths, key=lambda p: p.name):
        match = NAME.fullmatch(path.name)
        if not match:
            sys.exit(f"{path}: not the name of a migration")
        number, name, only = int(match[1]), match[2], match[3]
        text = path.read_text(encoding="utf-8")
        for dialect in [only] if only else DIALECTS:
            if seen.setdefault((number, dialect), path) != path:
                sys.exit(f"{path}: number {number} is there twice for {dialect}")
            yield number, name, dialect, text
    numbers = sorted({number for number, _ in seen})
    if numbers != list(range(1, len(numbers) + 1)) or len(seen) != 2 * len(numbers):
        sys.exit("migrations: a number or a dialect is missing")


def main():
    out = ['#include "storage/migrations.h"', "", "const struct migration migrations[] = {"]
    for number, name, dialect, text in rows([pathlib.Path(p) for p in sys.argv[2:]]):
        digest = hashlib.sha256(text.encode()).hexdigest()
        out += [f'    {{{number}, "{name}", {DIALECTS[dialect]}, "{digest}",', c_string(text) + "},"]
    out += ["};", "", "const size_t migration_count = sizeof migrations / sizeof *migrations;", ""]
    pathlib.Path(sys.argv[1]).write_text("\n".join(out), encoding="utf-8")


main()
