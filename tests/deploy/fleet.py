"""What the tests of deploy/ share: tools that may be missing, and metrics of real processes."""

import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

PROGRAM = os.environ["CAULDRON"]
SOURCE = pathlib.Path(os.environ["CAULDRON_SOURCE"]).resolve()
DEPLOY = SOURCE / "deploy"
TOOLS = pathlib.Path(os.environ.get("CAULDRON_TOOLS")
                     or pathlib.Path.home() / ".cache" / "cauldron" / "tools")
sys.path[:0] = [str(SOURCE / "tests"), str(SOURCE / "tests" / "api")]

import promql  # noqa: E402

# What exists only after something went wrong, with hardware that tests lack, or when tasks run: these
# must be in the program's table of metrics.
RARE = {"cauldron_metrics_dropped_total", "cauldron_gpu_memory_bytes", "cauldron_tasks",
        "cauldron_task_records_total", "cauldron_object_bytes_total", "cauldron_object_requests_total",
        "cauldron_callbacks_total", "cauldron_callbacks_dead"}
# Not ours: Prometheus's own, and those of NVIDIA's DCGM exporter
# (https://github.com/NVIDIA/dcgm-exporter, etc/default-counters.csv).
FOREIGN = {"up", "ALERTS", "DCGM_FI_DEV_SM_CLOCK", "DCGM_FI_DEV_MEM_CLOCK", "DCGM_FI_DEV_MEMORY_TEMP",
           "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
           "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_MEM_COPY_UTIL",
           "DCGM_FI_DEV_ENC_UTIL", "DCGM_FI_DEV_DEC_UTIL", "DCGM_FI_DEV_XID_ERRORS",
           "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
           "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "DCGM_FI_PROF_DRAM_ACTIVE"}
# Values of labels that come with what tests of deploy/ do not do.
UNSEEN = {("cauldron_pictures_total", "failed"), ("cauldron_http_requests_total", "503")}


def tool(name, advice):
    """The path of a program; the test says that it was not run when there is none."""
    for place in (TOOLS / "bin" / name, TOOLS / "venv" / "bin" / name):
        if place.exists():
            return str(place)
    found = shutil.which(name)
    if not found:
        raise unittest.SkipTest(f"NOT RUN: there is no {name} ({advice})")
    return found


def promtool():
    return tool("promtool", "Debian's package prometheus")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


@functools.cache
def metrics_texts():
    """/metrics of a server that has drawn and seen a login, and of a worker."""
    import server  # noqa: PLC0415 (it reads the environment)

    port = free_port()
    one = server.Server()
    try:
        for _ in range(2):  # drawn, and then found
            answer = one.ask("POST", "/api/v1/generate", {**server.SMALL, "seed": 7},
                             {"Prefer": "wait=60"})
            assert answer.status == 201, answer.body
        one.ask("POST", "/api/v1/login", {"name": "nobody", "password": "wrong password"})
        one.ask("GET", "/readyz")
        # A worker beside it, on the same database; it need not draw to tell of itself.
        worker = subprocess.Popen(
            [server.PROGRAM, "worker", "--metrics-port", str(port), *one.storage()],
            env=one.environment(), cwd=one.folder, stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while True:
                try:
                    of_worker = read(f"http://127.0.0.1:{port}/metrics")
                    break
                except OSError:
                    if time.monotonic() > end or worker.poll() is not None:
                        raise
                    time.sleep(0.1)
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(60)
        return {"cauldron": read(one.url + "/metrics"), "cauldron-worker": of_worker}
    finally:
        one.remove()


@functools.cache
def family_names():
    """The names in the table of src/ops/metrics.c."""
    text = (SOURCE / "src" / "ops" / "metrics.c").read_text()
    return set(re.findall(r'\{"(cauldron_\w+)"', text))


@functools.cache
def words_of_tasks():
    """Sources that give the metrics of tasks and devices their labels."""
    places = [*(SOURCE / "src" / "tasks").glob("*.c"), *(SOURCE / "src" / "storage").glob("tasks*.c"),
              SOURCE / "src" / "api" / "system.c"]
    return "".join(path.read_text() for path in places)


@functools.cache
def operations():
    """The operations of the contract, which are the routes of metrics."""
    text = (SOURCE / "api" / "openapi.yaml").read_text()
    return set(re.findall(r"operationId: (\w+)", text))


def check_series(test, expression, recorded, where):
    """Every series that the expression reads is exposed, with these labels, or recorded."""
    known = {}
    for text in metrics_texts().values():
        for name, series in promql.exposed(text).items():
            known.setdefault(name, []).extend(series)
    for metric, matchers in promql.selectors(expression):
        if metric in recorded or metric in FOREIGN:
            continue
        if metric in RARE:
            test.assertIn(metric, family_names(), where)
            for _, _, value in matchers:
                for word in value.split("|"):
                    test.assertIn(f'"{word}"', words_of_tasks(), where)
            continue
        test.assertIn(metric, known, f"{where}: nothing exposes {metric}")
        for label, operator, value in matchers:
            if label in ("job", "instance"):  # Prometheus's own
                continue
            test.assertTrue(any(label in s for s in known[metric]),
                            f"{where}: {metric} has no label {label}")
            if label == "route":
                if not re.search(r"[.$*]", value):
                    test.assertLessEqual(set(value.split("|")), operations() | {"none"}, where)
            elif operator == "=" and (metric, value) not in UNSEEN and "$" not in value:
                test.assertIn(value, {s.get(label) for s in known[metric]},
                              f"{where}: {metric} has no {label}={value}")
