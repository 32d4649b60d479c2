#!/usr/bin/env python3
"""Count what `meson test` found: test_summary.py BUILD prints "BUILD N passed, N failed, N skipped",
and below it each case that failed with the last lines of what it said. test_summary.py BUILD --failed
prints the names of the tests that failed, for a second try on a quiet machine; what testlog-first.json
holds of the first try is then replaced by what the second one found, and said.

A TAP test counts once per line of its plan, so that the number says how many cases ran. A build that
wrote no log counts as one failure.
"""

import json
import pathlib
import re
import sys


def count(test):
    """(passed, failed, skipped) of one entry of the log."""
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    lines = re.findall(r"^(not )?ok\b([^\n]*)", test.get("stdout") or "", re.MULTILINE)
    if test["result"] == "SKIP":
        return 0, 0, 1
    if not lines:
        return int(good), int(not good), 0
    skipped = sum(1 for _, rest in lines if re.search(r"#\s*skip", rest, re.IGNORECASE))
    failed = sum(1 for bad, rest in lines if bad)
    if not good and not failed:  # it crashed, timed out or leaked after its last line
        failed = 1
    return len(lines) - skipped - sum(1 for bad, _ in lines if bad), failed, skipped


SAID = 12  # lines kept of what a failing case said


def complaints(test):
    """What the failing cases of one entry of the log said, ready to print."""
    lines = (test.get("stdout") or "").splitlines()
    name = name_of(test)
    found = []
    for place, line in enumerate(lines):
        if line.startswith("not ok"):
            said = []
            for more in lines[place + 1:]:
                if not more.startswith("#"):
                    break
                said.append(more)
            found.append([f"{name}: {line}", *said[-SAID:]])
    if not found:
        said = (lines + (test.get("stderr") or "").splitlines())[-SAID:]
        found.append([f"{name}: {test['result']}", *said])
    return [f"    {line}" for lines in found for line in lines]


def name_of(test):
    return test["name"].split("/")[-1].strip()


def entries(log):
    if not log.exists():
        return {}
    return {test["name"]: test
            for test in map(json.loads, log.read_text(encoding="utf-8").splitlines())}


def main():
    build = pathlib.Path(sys.argv[1])
    logs = build / "meson-logs"
    first, last = entries(logs / "testlog-first.json"), entries(logs / "testlog.json")
    if sys.argv[2:] == ["--failed"]:
        print(*(name_of(test) for test in last.values() if count(test)[1]))
        return
    passed, failed, skipped = 0, 0, 0
    said = []
    for test in {**first, **last}.values():
        p, f, s = count(test)
        passed, failed, skipped = passed + p, failed + f, skipped + s
        if f:
            said += complaints(test)
        elif test["name"] in first and test["name"] in last:
            said += ["    the first try failed, the second passed:", *complaints(first[test["name"]])]
    if not first and not last:
        failed = 1
        said = ["    it was not built"]
    print("\n".join([f"{build.name} {passed} passed, {failed} failed, {skipped} skipped", *said]))


main()
