#!/usr/bin/env python3
"""flawfinder over the C sources: whatever it holds for dangerous is fixed, or stands in security.txt with
the reason why it is not. Reasons that nothing needs any more are errors, too."""

import csv
import io
import pathlib
import shutil
import subprocess
import sys

REASONS = pathlib.Path("tools/lint/security.txt")


def findings():
    """(file, line, function): -F leaves out what only looks like a call, and constant formats."""
    done = subprocess.run(["flawfinder", "-F", "--minlevel=4", "--csv", "src", "include"],
                          capture_output=True, text=True, check=True)
    for row in csv.DictReader(io.StringIO(done.stdout)):
        # Formats that are no literals: clang.sh sees through the wrappers (-Wformat=2 and
        # PRINTF_LIKE), which a scanner of words cannot.
        if row["Category"] != "format":
            yield row["File"], int(row["Line"]), row["Name"]


def reasons():
    """{(file, function): line number}; a line is "FILE FUNCTION: why"."""
    known = {}
    for number, line in enumerate(REASONS.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            head, _, why = line.partition(": ")
            file, _, function = head.partition(" ")
            if not function or not why:
                sys.exit(f"{REASONS}:{number}: want 'FILE FUNCTION: why'")
            known[file, function] = number
    return known


if not shutil.which("flawfinder"):
    print("NOT RUN: there is no flawfinder (tools/install.sh check)")
    sys.exit(0)
known = reasons()
needed = set()
bad = 0
for file, line, function in findings():
    if (file, function) in known:
        needed.add((file, function))
    else:
        print(f"{file}:{line}: {function} (see {REASONS})")
        bad += 1
for key in set(known) - needed:
    print(f"{REASONS}:{known[key]}: nothing needs this any more")
    bad += 1
sys.exit(bad > 0)
