#!/usr/bin/env python3
"""The real server under load while its engine draws: load.py CAULDRON [SECONDS].

wrk on the list and image routes, then CLIENTS stock Socket.IO clients (node) on one experiment: the
time from an event's making (its sequence number begins with the millisecond) to its arrival. Needs
wrk, node, and tests/node/node_modules (tools/test_clients.sh). Prints what docs/performance.md cites.
"""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
os.environ |= {"CAULDRON": str(pathlib.Path(sys.argv[1]).resolve()), "CAULDRON_SOURCE": str(ROOT)}
sys.path.insert(0, str(ROOT / "tests" / "api"))
from server import Server  # noqa: E402  (its folder and settings come first)

SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
CLIENTS = 500
BASE = {"model": "demo", "cfg_scale": 4}


def experiment(server, name, **axes):
    spec = {"version": 1, "type": "parameter_sweep", "name": name, "base": BASE,
            "prompts": ["a red circle left of a blue square"], **axes}
    answer = server.ask("POST", "/api/v1/experiments", {"spec": spec, "start": True})
    assert answer.status == 201, answer.body
    return answer.json


def cpu(server):
    """Seconds of processor that the server has used."""
    text = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(text[11]) + int(text[12])) / os.sysconf("SC_CLK_TCK")


def wrk(server, path, what):
    start = cpu(server)
    done = subprocess.run(["wrk", "-t1", "-c32", f"-d{SECONDS}s", "--latency", server.url + path],
                          capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done)[1]
    last = re.search(r"99%\s+(\S+)", done)[1]
    bad = re.search(r"Non-2xx.*", done)
    print(f"{what:34} {float(rate):8.0f} requests/s, p99 {last:>9}, server "
          f"{(cpu(server) - start) / SECONDS:.2f} cores{', ' + bad[0] if bad else ''}", flush=True)


def sockets(server):
    x = server.ask("POST", "/api/v1/experiments", {"spec": {
        "version": 1, "type": "parameter_sweep", "base": {**BASE, "seed": 77},
        "prompts": ["two yellow stars"], "steps": {"from": 4, "to": 60, "step": 1}}}).json
    done = subprocess.run(["node", ROOT / "tests" / "bench" / "listeners.mjs", server.url, x["id"],
                           str(CLIENTS)], capture_output=True, text=True, timeout=300, check=False)
    print(done.stdout.strip() or done.stderr[-2000:], flush=True)


def main():
    server = Server("--max-connections-per-address", "4000")
    try:
        done = server.ask("POST", "/api/v1/generate", {"prompt": "a red circle", "count": 60,
                                                       "steps": 2}, {"Prefer": "wait=120"})
        one = done.json["generations"][0]
        drawing = experiment(server, "busy", steps={"from": 20, "to": 119, "step": 1},
                             replicates={"count": 50})
        wrk(server, "/version", "/version")
        wrk(server, "/api/v1/generations?limit=20", "list of 20, while it draws")
        wrk(server, "/api/v1/generations", "list of 50, while it draws")
        wrk(server, one["image"]["url"], "a picture, while it draws")
        wrk(server, one["image"]["thumbnail_url"], "a thumbnail, while it draws")
        server.ask("POST", drawing["url"] + "/cancel")
        sockets(server)
    finally:
        server.remove()


main()
