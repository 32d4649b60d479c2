"""Scrape configuration, rules and alerts: promtool reads them, every alert fires when it should and is
silent when it should not, and every series that they read is one that the program exposes."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import fleet
import promql
import yaml

RULES = sorted((fleet.DEPLOY / "prometheus" / "rules").glob("*.yml"))

OK_REQUESTS = 'cauldron_http_requests_total{route="get_grid",status="200"}'
BAD_REQUESTS = 'cauldron_http_requests_total{route="get_grid",status="500"}'
QUEUED, RUNNING, DEAD = (f'cauldron_queue_jobs{{state="{s}"}}' for s in ("queued", "running", "dead"))
DRAWN, FAILED = (f'cauldron_pictures_total{{model="demo",result="{r}"}}' for r in ("drawn", "failed"))
BUSY, IDLE = (f'cauldron_fleet_slots{{state="{s}"}}' for s in ("busy", "idle"))


def always(value):
    return f"{value}+0x1600"


def per_minute(value, start=0):
    return f"{start}{value if str(value).startswith('-') else f'+{value}'}x1600"


# name: (when it is looked at, series with which it fires, series with which it does not).
# Values are one a minute: a+bxn is a, a+b, a+2b, ...
CASES = {
    "CauldronServerDown": ("5m", {'up{job="cauldron"}': always(0)}, {'up{job="cauldron"}': "0 1+0x30"}),
    "CauldronAbsent": ("10m", {'up{job="other"}': always(1)}, {'up{job="cauldron"}': always(1)}),
    "CauldronRestarts": ("30m", {"cauldron_start_time_seconds": per_minute(60)},
                         {"cauldron_start_time_seconds": "100+0x9 200+0x30"}),
    "CauldronNotReady": (
        "10m", {'cauldron_http_requests_total{route="readyz",status="503"}': per_minute(6)},
        {'cauldron_http_requests_total{route="readyz",status="200"}': per_minute(6)}),
    "CauldronErrorBudgetBurnsFast": ("70m", {OK_REQUESTS: per_minute(1000), BAD_REQUESTS: per_minute(20)},
                                     # an hour's worth of it, and over since ten minutes
                                     {OK_REQUESTS: per_minute(1000), BAD_REQUESTS: "0+20x55 1100+0x60"}),
    "CauldronErrorBudgetBurnsSlowly": ("420m", {OK_REQUESTS: per_minute(1000), BAD_REQUESTS: per_minute(8)},
                                       {OK_REQUESTS: per_minute(1000), BAD_REQUESTS: per_minute(1)}),
    "CauldronSlow": ("20m", {f'cauldron_http_request_seconds_bucket{{route="get_grid",le="{le}"}}':
                             per_minute(n) for le, n in (("1", 90), ("2.5", 100), ("+Inf", 100))},
                     # slow because it waits for a picture
                     {f'cauldron_http_request_seconds_bucket{{route="generate",le="{le}"}}':
                      per_minute(n) for le, n in (("1", 90), ("2.5", 100), ("+Inf", 100))}),
    "CauldronOverloaded": (
        "15m", {'cauldron_http_requests_total{route="none",status="503"}': per_minute(30)},
        {'cauldron_http_requests_total{route="readyz",status="503"}': per_minute(30)}),
    "CauldronVersionsDiffer": (
        "70m", {'cauldron_info{version="1"}': always(1), 'cauldron_info{version="2"}': always(1)},
        {'cauldron_info{instance="a",version="1"}': always(1),
         'cauldron_info{instance="b",version="1"}': always(1)}),
    "CauldronMemoryLow": ("15m", {"cauldron_memory_free_bytes": always("4e8")},
                          {"cauldron_memory_free_bytes": always("8e9")}),
    "CauldronLoginsFail": ("15m", {'cauldron_logins_total{result="refused"}': per_minute(120)},
                           {'cauldron_logins_total{result="passed"}': per_minute(120)}),
    "CauldronEventsDropped": ("30m", {'cauldron_bus_events_total{direction="dropped"}': per_minute(60)},
                              {'cauldron_bus_events_total{direction="published"}': per_minute(60)}),
    "CauldronMetricsDropped": ("30m", {"cauldron_metrics_dropped_total": per_minute(1)},
                               {"cauldron_metrics_dropped_total": always(0)}),
    "CauldronReportsLost": ("30m", {'cauldron_sentry_events_total{result="dropped"}': per_minute(1)},
                            {'cauldron_sentry_events_total{result="sent"}': per_minute(1)}),
    "CauldronPushFails": ("65m", {'cauldron_push_messages_total{result="failed"}': per_minute(3),
                                  'cauldron_push_messages_total{result="taken"}': per_minute(1)},
                          {'cauldron_push_messages_total{result="failed"}': per_minute(1),
                           'cauldron_push_messages_total{result="taken"}': per_minute(3)}),
    "CauldronNoWorkers": ("10m", {"cauldron_fleet_workers": always(0), QUEUED: always(5)},
                          {"cauldron_fleet_workers": always(0), QUEUED: always(0)}),
    "CauldronQueueStuck": (
        "10m", {"cauldron_fleet_workers": always(2), QUEUED: always(5), RUNNING: always(0),
                "cauldron_queue_paused": always(0)},
        {"cauldron_fleet_workers": always(2), QUEUED: always(5), RUNNING: always(0),
         "cauldron_queue_paused": always(1)}),
    "CauldronQueueWaits": (
        "15m", {"cauldron_queue_oldest_seconds": always(1000), "cauldron_queue_paused": always(0)},
        {"cauldron_queue_oldest_seconds": always(1000), "cauldron_queue_paused": always(1)}),
    "CauldronQueueGrows": ("70m", {QUEUED: per_minute(100, 100000), DRAWN: per_minute(60)},
                           {QUEUED: per_minute(-10, 100000), DRAWN: per_minute(60)}),
    "CauldronQueuePaused": ("70m", {"cauldron_queue_paused": always(1)},
                            {"cauldron_queue_paused": "1+0x30 0+0x60"}),
    "CauldronDeadJobs": ("15m", {DEAD: always(1)}, {DEAD: always(0)}),
    "CauldronPicturesFail": ("30m", {DRAWN: per_minute(10), FAILED: per_minute(1)},
                             {DRAWN: per_minute(100), FAILED: per_minute(1)}),
    "CauldronRetries": ("30m", {"cauldron_job_retries_total": per_minute(5)},
                        {"cauldron_job_retries_total": per_minute("0.2")}),
    "CauldronLeasesLost": ("20m", {"cauldron_leases_lost_total": per_minute(1)},
                           {"cauldron_leases_lost_total": always(7)}),
    "CauldronWorkerLost": ("10m", {'up{job="cauldron-worker"}': always(0)},
                           {'up{job="cauldron-worker"}': always(1)}),
    "CauldronWorkersIdle": (
        "20m", {BUSY: always(0), IDLE: always(8), QUEUED: always(500), "cauldron_queue_paused": always(0)},
        {BUSY: always(8), IDLE: always(0), QUEUED: always(500), "cauldron_queue_paused": always(0)}),
    "CauldronDatabaseFails": ("15m", {"cauldron_db_failures_total": per_minute(60)},
                              {"cauldron_db_failures_total": per_minute(1)}),
    "CauldronDatabaseSlow": (
        "20m", {'cauldron_db_seconds_total{job="cauldron"}': per_minute(60),
                'cauldron_db_queries_total{job="cauldron"}': per_minute(600)},
        {'cauldron_db_seconds_total{job="cauldron"}': per_minute(1),
         'cauldron_db_queries_total{job="cauldron"}': per_minute(600)}),
    "CauldronDatabaseConnectionsUsedUp": ("10m", {'cauldron_db_connections{state="busy"}': always(16)},
                                          {'cauldron_db_connections{state="open"}': always(16)}),
    "CauldronDiskFull": ("10m", {"cauldron_blob_free_bytes": always("4e9")},
                         {"cauldron_blob_free_bytes": always("6e9")}),
    "CauldronDiskFillsUp": ("480m", {"cauldron_blob_free_bytes": "1e11-1e8x1600"},
                            # full for a moment: a backup lay there and was taken away
                            {"cauldron_blob_free_bytes": "1e11-1e8x400 1e11+0x1000"}),
    "CauldronTaskStuck": (
        "60m", {'cauldron_tasks{status="running"}': always(1), "cauldron_queue_paused": always(0),
                'cauldron_task_records_total{outcome="succeeded"}': always(7)},
        {'cauldron_tasks{status="running"}': always(1), "cauldron_queue_paused": always(0),
         'cauldron_task_records_total{outcome="succeeded"}': per_minute(1)}),
    "CauldronTaskWaitsForApproval": ("1500m", {'cauldron_tasks{status="awaiting_approval"}': always(1)},
                                     {'cauldron_tasks{status="awaiting_approval"}': "1+0x700 0+0x900"}),
    "CauldronTaskRecordsFail": (
        "60m", {'cauldron_task_records_total{outcome="failed"}': per_minute(1),
                'cauldron_task_records_total{outcome="succeeded"}': per_minute(9)},
        {'cauldron_task_records_total{outcome="failed"}': per_minute(1),
         'cauldron_task_records_total{outcome="succeeded"}': per_minute(99)}),
    "CauldronObjectStoreFails": (
        "30m", {'cauldron_object_requests_total{operation="put",outcome="network"}': per_minute(1),
                'cauldron_object_requests_total{operation="put",outcome="stored"}': per_minute(2)},
        {'cauldron_object_requests_total{operation="put",outcome="network"}': per_minute(1),
         'cauldron_object_requests_total{operation="put",outcome="stored"}': per_minute(20)}),
    "CauldronCallbacksFail": (
        "60m", {'cauldron_callbacks_total{outcome="retried"}': per_minute(3),
                'cauldron_callbacks_total{outcome="delivered"}': per_minute(1)},
        {'cauldron_callbacks_total{outcome="retried"}': per_minute(1),
         'cauldron_callbacks_total{outcome="delivered"}': per_minute(3)}),
    "CauldronCallbacksDead": ("10m", {"cauldron_callbacks_dead": always(2)},
                              {"cauldron_callbacks_dead": always(0)}),
    "CauldronGpuHot": ("10m", {'DCGM_FI_DEV_GPU_TEMP{gpu="0"}': always(90)},
                       {'DCGM_FI_DEV_GPU_TEMP{gpu="0"}': always(70)}),
    "CauldronGpuFaults": ("5m", {'DCGM_FI_DEV_XID_ERRORS{gpu="0"}': always(79)},
                          {'DCGM_FI_DEV_XID_ERRORS{gpu="0"}': always(0)}),
    "CauldronGpuMemoryFull": (
        "15m", {'DCGM_FI_DEV_FB_USED{gpu="0"}': always(80000), 'DCGM_FI_DEV_FB_FREE{gpu="0"}': always(500)},
        {'DCGM_FI_DEV_FB_USED{gpu="0"}': always(40000), 'DCGM_FI_DEV_FB_FREE{gpu="0"}': always(40000)}),
    "CauldronGpuIdle": (
        "30m", {'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': always(3), QUEUED: always(500),
                "cauldron_queue_paused": always(0)},
        {'DCGM_FI_DEV_GPU_UTIL{gpu="0"}': always(95), QUEUED: always(500),
         "cauldron_queue_paused": always(0)}),
}


def rules(kind):
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"] if kind in rule]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Promtool(unittest.TestCase):
    def setUp(self):
        self.promtool = fleet.promtool()

    def test_configuration(self):
        done = run(self.promtool, "check", "config", fleet.DEPLOY / "prometheus" / "prometheus.yml")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules(self):
        done = run(self.promtool, "check", "rules", "--lint=all", "--lint-fatal", *RULES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_fire_and_are_silent(self):
        names = [rule["alert"] for rule in rules("alert")]
        self.assertEqual(sorted(names), sorted(CASES), "each alert has its two cases")
        tests = {"1m": [], "10m": []}  # by how often rules are evaluated
        for name, (at, fires, silent) in CASES.items():
            for series, want in ((fires, 1), (silent, 0)):
                tests["10m" if int(at[:-1]) > 1000 else "1m"].append({
                    "name": f"{name} {'fires' if want else 'is silent'}", "interval": "1m",
                    "input_series": [{"series": s, "values": v} for s, v in series.items()],
                    "promql_expr_test": [{
                        "eval_time": at, "exp_samples": [{"labels": "{}", "value": want}],
                        "expr": f'(count(ALERTS{{alertname="{name}",alertstate="firing"}}) > bool 0)'
                                " or vector(0)"}]})
        for interval, some in tests.items():
            self.check({"rule_files": [str(p) for p in RULES], "evaluation_interval": interval,
                        "tests": some})

    def test_words_of_an_alert(self):
        """One alert with all its words, so that the templates are known to be filled in."""
        self.check({"rule_files": [str(p) for p in RULES], "evaluation_interval": "1m", "tests": [{
            "interval": "1m", "input_series": [{"series": QUEUED, "values": "7200+0x60"},
                                               {"series": DEAD, "values": always(3)}],
            "alert_rule_test": [{
                "eval_time": "20m", "alertname": "CauldronDeadJobs", "exp_alerts": [{
                    "exp_labels": {"severity": "warning"},
                    "exp_annotations": {"summary": "3 jobs are in the dead-letter list"}}]}]}]})

    def check(self, test):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "test.yml"
            path.write_text(yaml.safe_dump(test))
            done = run(self.promtool, "test", "rules", path)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_metrics_are_well_formed(self):
        for job, text in fleet.metrics_texts().items():
            done = subprocess.run([self.promtool, "check", "metrics"], input=text, text=True,
                                  capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), job)


class Series(unittest.TestCase):
    def test_rules_read_what_exists(self):
        recorded = {rule["record"] for rule in rules("record")}
        for rule in rules("expr"):
            fleet.check_series(self, rule["expr"], recorded, rule.get("record") or rule["alert"])


class Runbook(unittest.TestCase):
    def test_each_alert_has_a_paragraph(self):
        text = (fleet.SOURCE / "docs" / "operations.md").read_text()
        for rule in rules("alert"):
            found = re.search(rf"^\*\*{rule['alert']}\*\* \((\w+)\): (.+)$", text, re.M)
            self.assertTrue(found, f"no paragraph on {rule['alert']}")
            self.assertEqual(found[1], rule["labels"]["severity"], rule["alert"])
            self.assertGreater(len(found[2]), 80, rule["alert"])

    def test_no_paragraph_without_its_alert(self):
        text = (fleet.SOURCE / "docs" / "operations.md").read_text()
        names = {rule["alert"] for rule in rules("alert")}
        self.assertEqual(set(re.findall(r"\*\*(Cauldron\w+)\*\*", text)) - names, set())


if __name__ == "__main__":
    unittest.main()
