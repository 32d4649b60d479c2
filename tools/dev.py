#!/usr/bin/env python3
"""The server, built again and restarted when a source changes, and Vite's server of the web app, which
reloads pages hot and passes the API on: dev.py BUILD [options of serve].

Looks at the sources twice a second; a build that fails leaves the running server alone.
"""

import os
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
    return subprocess.Popen([f"{build}/cauldron", "serve", "--log-level", "debug",
                             "--allowed-origins", "http://localhost:5173", *options])


def stop(server):
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def start_app(options):
    """Vite at port 5173, before the server's port."""
    port = "8000"
    for place, option in enumerate(options):
        if option in ("-p", "--port") and place + 1 < len(options):
            port = options[place + 1]
        elif option.startswith("--port="):
            port = option.partition("=")[2]
    return subprocess.Popen(["node_modules/.bin/vite"], cwd="frontend",
                            env=dict(os.environ, CAULDRON_URL=f"http://127.0.0.1:{port}"))


def main():
    build, *options = sys.argv[1:]
    server = start(build, options)
    app = start_app(options)
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
        stop(app)
        stop(server)


main()
