#!/usr/bin/env python3
"""Functions that have no place in src/, and words that mark unfinished work anywhere."""

import pathlib
import re
import subprocess
import sys

BANNED = {
    "strcpy": "knows no size; use snprintf or struct buf",
    "strncpy": "may leave out the NUL; use snprintf",
    "strcat": "knows no size; use struct buf",
    "strncat": "its size means something else; use struct buf",
    "sprintf": "knows no size; use snprintf",
    "vsprintf": "knows no size; use vsnprintf",
    "gets": "knows no size",
    "strtok": "keeps hidden state; use str_cut",
    "atoi": "sees no errors; use str_to_i64",
    "atol": "sees no errors; use str_to_i64",
    "atof": "sees no errors; use str_to_f64",
    "scanf": "sees no overflow; use str_to_i64",
    "sscanf": "sees no overflow; use str_to_i64",
    "alloca": "may overflow the stack",
    "system": "runs a shell",
    "popen": "runs a shell",
    "tmpnam": "may be raced; use mkstemp",
    "mktemp": "may be raced; use mkstemp",
    "rand": "global state; the engine has its own noise",
    "srand": "global state",
    "localtime": "hidden state; use localtime_r",
    "gmtime": "hidden state; use gmtime_r",
    "setlocale": "changes the whole process",
    "assert": "input is answered with an error, not with an abort",
}
OUTSIDE_CLI = {
    "exit": "only main may end the program",
    "_exit": "only main may end the program",
    "printf": "a library prints nothing",
    "puts": "a library prints nothing",
    "perror": "a library prints nothing",
    "fprintf": "a library prints nothing",
    "getenv": "settings come in as parameters",
}
# Programs that run while building are not a part of the library.
BUILD_TOOLS = {"src/engine/text/embed.c"}
# Split so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def code_only(text):
    """The text without comments and strings, lines kept."""
    return COMMENT.sub(lambda m: "\n" * m.group().count("\n") + '""', text)


def problems():
    for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
        banned = dict(BANNED)
        if path.parts[1] != "cli" and str(path) not in BUILD_TOOLS:
            banned |= OUTSIDE_CLI
        pattern = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
        for number, line in enumerate(code_only(path.read_text(encoding="utf-8")).split("\n"), 1):
            for name in pattern.findall(line):
                yield f"{path}:{number}: {name}(): {banned[name]}"
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    for name in listed.splitlines():
        path = pathlib.Path(name)
        if path.suffix not in (".c", ".h", ".py", ".sh", ".build") or not path.exists():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if UNFINISHED.search(line):
                yield f"{name}:{number}: unfinished: {line.strip()[:80]}"


found = list(problems())
print("\n".join(found))
sys.exit(bool(found))
