#!/usr/bin/env python3
"""What a second worker on one queue brings: two_workers.py CAULDRON [--pictures N] [--rounds R].

PostgreSQL, Redis and `cauldron serve --no-draw`, then in turn one and two `cauldron worker --threads
1` on the demo model. The rate is that of the middle: pictures between the first and the last tenth,
by the database's own times, so that opening the model and the last batch, when one worker has
nothing left to do, are reported apart ("whole" is from the request to the last picture). Also what a
picture costs the database and Redis: transactions, statements and rows, commands and bytes.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import servers  # noqa: E402

PROMPT = "a red circle left of a blue square"


class Fleet:
    """Servers and one `serve --no-draw`; workers come and go."""

    def __init__(self, program, folder, size, steps):
        self.program, self.folder, self.size, self.steps = program, pathlib.Path(folder), size, steps
        self.postgres = servers.Postgres(folder).start()
        self.redis = servers.Redis(folder).start()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
            "CAULDRON_MODELS": str(ROOT / "models"), "OMP_WAIT_POLICY": "passive",
            "CAULDRON_LOG_LEVEL": "warning", "CAULDRON_DATA": str(self.folder / "data"),
            "DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}
        self.log = open(self.folder / "log", "ab")  # noqa: SIM115 (open for as long as the fleet)
        self.server = self.run("serve", "--no-draw", "--port", "0", stdout=subprocess.PIPE)
        self.url = self.server.stdout.readline().decode().split()[-1]

    def run(self, *command, stdout=None):
        return subprocess.Popen([self.program, *command], env=self.environment, cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=stdout or self.log,
                                stderr=self.log)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")

    def drawing(self, suffix):
        """Workers of this round that told of themselves."""
        return [w for w in self.ask("GET", "/api/v1/workers")["items"]
                if w["id"].startswith(suffix)]

    def sql(self, text):
        done = subprocess.run(["psql", "-qAtX", "-F", " ", self.postgres.url, "-c", text],
                              check=True, capture_output=True, text=True)
        return [float(x or 0) for x in done.stdout.split()]

    def redis_info(self):
        done = subprocess.run(["redis-cli", "-s", str(self.redis.folder / "socket"), "info", "stats"],
                              check=True, capture_output=True, text=True).stdout
        found = dict(line.strip().split(":", 1) for line in done.splitlines() if ":" in line)
        return [int(found[name]) for name in ("total_commands_processed", "total_net_input_bytes",
                                              "total_net_output_bytes")]

    def costs(self):
        time.sleep(1.2)  # PostgreSQL's processes report their counts once a second
        return self.sql("SELECT xact_commit + xact_rollback, tup_inserted, tup_updated, tup_deleted"
                        " FROM pg_stat_database WHERE datname = current_database()"
                        ) + self.redis_info()

    def draw(self, seed, count):
        """`count` pictures asked for; seconds until the last of them has ended."""
        start = time.monotonic()
        self.ask("POST", "/api/v1/experiments", {"start": True, "spec": {
            "version": 1, "type": "parameter_sweep", "prompts": [PROMPT],
            "base": {"model": "demo", "steps": self.steps, "seed": seed, "width": self.size,
                     "height": self.size},
            "replicates": {"count": count}}})
        while self.sql("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')")[0]:
            time.sleep(0.2)
        return time.monotonic() - start

    def middle_rate(self, count):
        """Pictures a second between the first and the last tenth of the newest `count`."""
        ends = self.sql("SELECT finished_at FROM (SELECT finished_at FROM jobs WHERE status = "
                        f"'succeeded' ORDER BY id DESC LIMIT {count}) t ORDER BY finished_at")
        edge = max(1, count // 10)
        return (len(ends) - 2 * edge) * 1000 / max(1.0, ends[-edge - 1] - ends[edge - 1])

    def shares(self, count):
        """How many of the newest `count` each worker drew."""
        found = self.sql("SELECT count(*) FROM (SELECT worker FROM jobs WHERE status = 'succeeded' "
                         f"ORDER BY id DESC LIMIT {count}) t GROUP BY worker ORDER BY worker")
        return " and ".join(f"{n:.0f}" for n in found)

    def round(self, workers, seed, count):
        """Draw with this many workers: rate of the middle, of the whole, costs a picture, shares."""
        running = [self.run("worker", "--threads", "1", "--name", f"w{seed}-{i}")
                   for i in range(workers)]
        try:
            while len(self.drawing(f"w{seed}-")) < workers:
                time.sleep(0.2)
            self.draw(seed, 8 * workers)  # every worker has the model open
            before = self.costs()
            seconds = self.draw(seed + 500_000, count)
            costs = [(b - a) / count for a, b in zip(before, self.costs())]
            return self.middle_rate(count), count / seconds, costs, self.shares(count)
        finally:
            for one in running:
                one.send_signal(signal.SIGTERM)
            for one in running:
                one.wait(60)

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(60)
        self.redis.stop()
        self.postgres.stop()


def load():
    return os.getloadavg()[0]


def main():
    parser = argparse.ArgumentParser(description="pictures a second of one worker and of two")
    parser.add_argument("cauldron")
    parser.add_argument("--pictures", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--size", type=int, default=128)
    o = parser.parse_args()
    rates, wholes = {1: [], 2: []}, {1: [], 2: []}
    print(f"load before: {load():.2f}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory(prefix="two-workers-") as folder:
        fleet = Fleet(str(pathlib.Path(o.cauldron).resolve()), folder, o.size, o.steps)
        try:
            for i in range(2 * o.rounds):
                workers = 1 + i % 2
                rate, whole, costs, shares = fleet.round(workers, 1000 * (i + 1), o.pictures * workers)
                rates[workers].append(rate)
                wholes[workers].append(whole)
                print(f"{workers} worker{'s' if workers > 1 else ' '}: {rate:6.2f} pictures/s, whole "
                      f"{whole:6.2f}, shares {shares}; "
                      f"a picture: {costs[0]:.1f} transactions, rows +{costs[1]:.1f} "
                      f"~{costs[2]:.1f} -{costs[3]:.1f}, {costs[4]:.1f} Redis commands, "
                      f"{costs[5] / 1024:.1f} kB to it, {costs[6] / 1024:.1f} kB from it; load "
                      f"{load():.2f}", flush=True)
        finally:
            fleet.stop()
    for name, found in (("middle", rates), ("whole", wholes)):
        one, two = (statistics.median(found[n]) for n in (1, 2))
        print(f"{name}: 1 worker {one:.2f}, 2 workers {two:.2f} pictures/s: {two / one:.2f} times "
              f"(medians of {o.rounds})")


main()
