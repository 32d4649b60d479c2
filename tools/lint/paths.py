#!/usr/bin/env python3
"""No file names a path that exists on one machine only, and no file is larger than it may be."""

import pathlib
import re
import subprocess
import sys

PATH = re.compile(r"(?<![\w.~$})%>:/*\]-])/([a-z][a-z0-9_.-]*)/[A-Za-z0-9_.-]")
# Folders that people work in ("me" may be anybody).
PERSONAL = {"home", "root", "work", "opt", "mnt", "media", "srv", "users", "build", "workspace"}
BINARY = (".safetensors", ".png", ".jpg", ".webp", ".npz", ".bin", ".gz")
MAX_BYTES = 20 << 20


def problems():
    here = str(pathlib.Path.cwd().resolve())
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        path = pathlib.Path(name)
        if not path.is_file():
            continue
        if path.stat().st_size > MAX_BYTES:
            yield f"{name}: {path.stat().st_size >> 20} MiB, more than {MAX_BYTES >> 20}"
        if path.suffix in BINARY or name.startswith("tests/fuzz/corpus/"):
            continue
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if here != "/" and here in line:
                yield f"{name}:{number}: names this checkout: {line.strip()[:80]}"
            for top in PATH.findall(line):
                if top in PERSONAL and "/home/me/" not in line:
                    yield f"{name}:{number}: a path of one machine: {line.strip()[:80]}"


found = list(problems())
print("\n".join(found))
sys.exit(bool(found))
