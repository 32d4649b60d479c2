#!/usr/bin/env python3
"""Whatever the program, its app, its tests and its images take from others: pinned to one version, and
what the program and the app need is explained in docs/decisions.md. Then npm's registry is asked for
known weaknesses of what reaches browsers, where it answers such questions."""

import json
import pathlib
import re
import shutil
import subprocess
import sys

EXACT = re.compile(r"^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$")
DECISIONS = pathlib.Path("docs/decisions.md").read_text(encoding="utf-8").lower()
# What a dependency is called where it is explained, if not by its own name.
CALLED = {"libcrypto": "openssl", "libpng": "libpng", "libjpeg": "libjpeg-turbo", "libwebpmux": "libwebp",
          "libutf8proc": "utf8proc", "avahi-client": "avahi", "sqlite3": "sqlite", "hiredis": "hiredis",
          "threads": None, "m": None, "@chakra-ui/react": "chakra ui", "@emotion/react": "emotion",
          "@tanstack/react-query": "tanstack query", "@tanstack/react-virtual": "tanstack", "react-dom": "react",
          "libmongoc-1.0": "libmongoc", "libbson-1.0": "libmongoc"}


def tracked(*patterns):
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
                          capture_output=True, text=True, check=True)
    return [pathlib.Path(name) for name in done.stdout.splitlines() if pathlib.Path(name).exists()]


def explained(name):
    called = CALLED.get(name, name)
    return called is None or called.lower() in DECISIONS


def npm_problems():
    for path in tracked("package.json", "*/package.json"):
        package = json.loads(path.read_text(encoding="utf-8"))
        for kind in ("dependencies", "devDependencies", "overrides"):
            for name, version in package.get(kind, {}).items():
                if not EXACT.match(version):
                    yield f"{path}: {name} is '{version}', not one version"
        for name in package.get("dependencies", {}):
            if path.parts[0] == "frontend" and not explained(name):
                yield f"{path}: docs/decisions.md does not say why {name}"
        lock = path.with_name("package-lock.json")
        if not lock.exists():
            yield f"{path}: there is no package-lock.json beside it"
            continue
        for where, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
            if where and not entry.get("link") and not entry.get("integrity", "").startswith("sha512-"):
                yield f"{lock}: {where} has no SHA-512"
            if not entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"):
                yield f"{lock}: {where} comes from elsewhere: {entry['resolved']}"


def pip_problems():
    for path in tracked("*requirements*.txt", "tools/lint/scan_tools.txt", "tests/fakes/servers.txt"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            words = line.split("#")[0].split(";")[0].strip()
            if words and not words.startswith("-") and not re.match(r"^[\w.\[\]-]+==[\w.+!]+$", words):
                yield f"{path}:{number}: '{words}' is not one version"


def go_problems():
    for path in tracked("tools/*.sh"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for version in re.findall(r"\b[\w.-]+\.[a-z]+/[\w./-]+@(\S+)", line):
                if not re.match(r"^v\d+\.\d+\.\d+", version):
                    yield f"{path}:{number}: '@{version}' is not one version"


def library_problems():
    text = pathlib.Path("meson.build").read_text(encoding="utf-8")
    for name in re.findall(r"(?:dependency|find_library)\('([^']+)'", text):
        if not explained(name):
            yield f"meson.build: docs/decisions.md does not say why {name}"


def image_problems():
    for path in tracked("deploy/docker/Dockerfile*"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = re.match(r"^(?:FROM|ARG [A-Z]+=)\s*(\S+:\S+|\S+/\S+)", line)
            if found and re.search(r":latest$|^[^:]+$", found[1]) and "$" not in found[1]:
                yield f"{path}:{number}: '{found[1]}' is not one version"


def audit_problems():
    if not shutil.which("npm"):
        print("NOT RUN: npm audit: there is no npm")
        return
    for path in tracked("*/package-lock.json"):
        done = subprocess.run(["npm", "audit", "--omit=dev", "--json", "--prefix", path.parent],
                              capture_output=True, text=True, check=False, timeout=120)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            report = {}
        if "vulnerabilities" not in report:
            print(f"NOT RUN: npm audit of {path.parent}: the registry does not answer it")
            continue
        for name, one in report["vulnerabilities"].items():
            yield f"{path}: {name}: known weakness, {one['severity']}"


bad = [*npm_problems(), *pip_problems(), *go_problems(), *library_problems(), *image_problems(), *audit_problems()]
print("\n".join(bad), end="\n" if bad else "")
sys.exit(bool(bad))
