#!/usr/bin/env python3
"""The server, built again and restarted when a source changes: dev.py BUILD [options of serve].

Looks at the sources twice a second; a build that fails leaves the running server alone.
"""

import pathlib
import signal
import subprocess
import sys
import time

FOLDERS = ["src", "include", "api", "tools/openapi", "meson.build"]
ENDINGS = {".c", ".h", ".build", ".yaml", ".sql", ".py"}
STOP_SECONDS = 30


def state():
    """Every source with its time of change."""
    found = {}
    for folder in map(pathlib.Path, FOLDERS):
        for path in folder.rglob("*") if folder.is_dir() else [folder]:
            if path.suffix in ENDINGS:
                try:
                    found[path] = path.stat().st_mtime_ns
                except FileNotFoundError:  # an editor replaces it at this moment
                    pass
    return found


def start(build, options):
    return subprocess.Popen([f"{build}/cauldron", "serve", "--log-level", "debug", *options])


def stop(server):
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main():
    build, *options = sys.argv[1:]
    server = start(build, options)
    seen = state()
    try:
        while True:
            time.sleep(0.5)
            now = state()
            if now == seen:
                continue
            changed = sorted(str(p) for p in now.keys() | seen.keys() if now.get(p) != seen.get(p))
            print("changed:", ", ".join(changed[:5]), flush=True)
            seen = now
            if subprocess.run(["ninja", "-C", build, "cauldron"], check=False).returncode == 0:
                stop(server)
                server = start(build, options)
    except KeyboardInterrupt:
        stop(server)


main()
