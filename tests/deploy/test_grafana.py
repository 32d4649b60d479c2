"""Dashboards and their provisioning. Grafana itself is in no package archive, so each dashboard is held
to the documented model, and each expression to promtool and to what the program exposes."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import fleet
import promql
import yaml

GRAFANA = fleet.DEPLOY / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
SCHEMA = pathlib.Path(__file__).resolve().parent / "dashboard.schema.json"
RULES = [rule for path in sorted((fleet.DEPLOY / "prometheus" / "rules").glob("*.yml"))
         for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def dashboards():
    return {path.stem: json.loads(path.read_text()) for path in FILES}


def expressions(dashboard):
    """(where, expression), with Grafana's variables filled in."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"{dashboard['uid']}: {panel['title']}", fill_in(target["expr"])
    for note in dashboard["annotations"]["list"]:
        yield f"{dashboard['uid']}: annotation", fill_in(note["expr"])


def fill_in(expression):
    return re.sub(r"\$\w+", "x.*", re.sub(r"\$__(range|interval|rate_interval)", "5m", expression))


class Model(unittest.TestCase):
    def test_there_are_five(self):
        self.assertEqual(sorted(dashboards()), ["experiments", "gpu", "queue", "system", "tasks"])

    def test_schema(self):
        program = fleet.tool("jsonschema", "Debian's package python3-jsonschema")
        for path in FILES:
            done = subprocess.run([program, "-i", path, SCHEMA], capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, f"{path.name}: {done.stdout}{done.stderr}"[-3000:])

    def test_schema_refuses(self):
        program = fleet.tool("jsonschema", "Debian's package python3-jsonschema")
        for break_it in (lambda d: d.pop("uid"), lambda d: d["panels"][0].pop("gridPos"),
                         lambda d: d["panels"][0]["targets"][0].update(datasource={"uid": "other"}),
                         lambda d: d["panels"][0]["fieldConfig"]["defaults"].update(unit="furlongs"),
                         lambda d: d["panels"][0].update(type="graph")):
            dashboard = dashboards()["system"]
            break_it(dashboard)
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(dashboard, file)
                file.flush()
                done = subprocess.run([program, "-i", file.name, SCHEMA], capture_output=True,
                                      check=False)
            self.assertNotEqual(done.returncode, 0)

    def test_identifiers_are_unique(self):
        uids = [d["uid"] for d in dashboards().values()]
        titles = [d["title"] for d in dashboards().values()]
        self.assertEqual((len(set(uids)), len(set(titles))), (len(FILES), len(FILES)))
        for name, d in dashboards().items():
            ids = [p["id"] for p in d["panels"]]
            self.assertEqual(len(ids), len(set(ids)), name)
            for panel in d["panels"]:
                refs = [t["refId"] for t in panel.get("targets", [])]
                self.assertEqual(len(refs), len(set(refs)), panel["title"])

    def test_panels_do_not_overlap(self):
        for name, d in dashboards().items():
            taken = {}
            for panel in d["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24, f"{name}: {panel['title']}")
                for x in range(at["x"], at["x"] + at["w"]):
                    for y in range(at["y"], at["y"] + at["h"]):
                        self.assertNotIn((x, y), taken, f"{name}: {panel['title']} lies on "
                                                        f"{taken.get((x, y))}")
                        taken[x, y] = panel["title"]

    def test_variables_are_declared(self):
        for name, d in dashboards().items():
            declared = {v["name"] for v in d["templating"]["list"]}
            used = set(re.findall(r"\$\{?([a-z]\w*)\}?", json.dumps(d["panels"])))
            self.assertEqual(used - declared, set(), name)
            self.assertEqual(declared - used, set(), f"{name}: nothing uses these")

    def test_legends_name_labels_that_are_left(self):
        for name, d in dashboards().items():
            for panel in d["panels"]:
                for target in panel.get("targets", []):
                    expression = target["expr"]
                    left = set(re.split(r"[ ,]+", " ".join(re.findall(r"by \(([^)]*)\)", expression))))
                    for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                        if "by (" in expression:
                            self.assertIn(label, left, f"{name}: {panel['title']}")


class Expressions(unittest.TestCase):
    def test_promtool_reads_them(self):
        groups, where = [], {}
        for d in dashboards().values():
            rules = []
            for place, expression in expressions(d):
                record = f"check:n{len(where)}"
                where[record] = place
                rules.append({"record": record, "expr": expression})
            groups.append({"name": d["uid"], "rules": rules})
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": groups}, file)
            file.flush()
            done = subprocess.run([fleet.promtool(), "check", "rules", file.name],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{done.stdout}{done.stderr}{where}")

    def test_they_read_what_exists(self):
        recorded = {rule["record"] for rule in RULES if "record" in rule}
        for d in dashboards().values():
            for where, expression in expressions(d):
                fleet.check_series(self, expression, recorded, where)
            for variable in d["templating"]["list"]:
                found = re.match(r"label_values\((\w+), (\w+)\)$", variable.get("definition", ""))
                if variable["type"] == "query":
                    fleet.check_series(self, found[1], recorded, variable["name"])

    def test_everything_is_shown(self):
        """A number that is counted is on a dashboard, or in an alert."""
        texts = [e for d in dashboards().values() for _, e in expressions(d)]
        texts += [rule["expr"] for rule in RULES]
        shown = {re.sub("_(bucket|sum|count)$", "", metric)
                 for text in texts for metric, _ in promql.selectors(text)}
        self.assertEqual(fleet.family_names() - shown, set())


class Provisioning(unittest.TestCase):
    def read(self, path):
        return yaml.safe_load((GRAFANA / "provisioning" / path).read_text())

    def test_datasource(self):
        (source,) = self.read("datasources/prometheus.yaml")["datasources"]
        self.assertEqual((source["type"], source["access"], source["isDefault"]),
                         ("prometheus", "proxy", True))
        for name, d in dashboards().items():
            chosen = next(v for v in d["templating"]["list"] if v["type"] == "datasource")
            self.assertEqual(chosen["current"], {"text": source["name"], "value": source["uid"]}, name)

    def test_dashboards_are_where_they_are_looked_for(self):
        (provider,) = self.read("dashboards/cauldron.yaml")["providers"]
        self.assertEqual(provider["type"], "file")
        compose = yaml.safe_load((fleet.DEPLOY / "compose.yaml").read_text())["services"]["grafana"]
        mounts = dict(v.split(":")[:2] for v in compose["volumes"])
        self.assertEqual(mounts["./grafana/dashboards"], provider["options"]["path"])
        self.assertEqual(mounts["./grafana/provisioning"], "/etc/grafana/provisioning")


if __name__ == "__main__":
    unittest.main()
