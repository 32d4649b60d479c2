"""The Helm chart: every example of values renders into objects that Kubernetes' own schemas take, with
what a careful reader would look for; wrong values are refused by name."""

import functools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import fleet
import yaml

CHART = fleet.DEPLOY / "kubernetes" / "cauldron"
EXAMPLES = sorted(p.stem for p in (CHART / "ci").glob("*.yaml"))
KUBERNETES = "1.33.0"  # the first with image volumes on by default
# Read without an option of these commands.
FOREIGN_VARIABLES = {"CAULDRON_MODELS", "CAULDRON_ALLOW_HOSTS", "CAULDRON_CONNECTION_MONGO"}
CONSUMER = (fleet.SOURCE / "src" / "jobs" / "queue_redis.c").read_text()


def helm(*arguments):
    program = fleet.tool("helm", "tools/scan_tools.sh")
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                          check=False)


def template(*arguments):
    return helm("template", "shop", CHART, "--namespace", "studio", "--kube-version", KUBERNETES,
                *arguments)


@functools.cache
def rendered(example):
    done = template("-f", CHART / "ci" / f"{example}.yaml")
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(example, kind=None):
    found = [o for o in yaml.safe_load_all(rendered(example)) if o]
    return [o for o in found if kind in (None, o["kind"])]


def one(example, kind, name):
    return next(o for o in objects(example, kind) if o["metadata"]["name"] == name)


def pods(example):
    """(name, spec of the pod) of everything that makes pods."""
    return [(o["metadata"]["name"], o["spec"]["template"]["spec"])
            for o in objects(example) if o["kind"] in ("Deployment", "Job")]


class Rendered(unittest.TestCase):
    def test_lint(self):
        for example in EXAMPLES:
            done = helm("lint", "--strict", "--kube-version", KUBERNETES, CHART, "-f",
                        CHART / "ci" / f"{example}.yaml")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kubernetes_takes_it(self):
        validate = fleet.tool("kubernetes-validate", "pip install kubernetes-validate")
        for example in EXAMPLES:
            native = [o for o in objects(example)
                      if not re.search("keda.sh|coreos.com", o["apiVersion"])]
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                yaml.safe_dump_all(native, file)
                file.flush()
                done = subprocess.run([validate, "--strict", "--no-warn", "-k", "1.33", file.name],
                                      capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stdout.count("passed"), len(native), done.stdout)

    def test_names_are_unique(self):
        for example in EXAMPLES:
            names = [(o["kind"], o["metadata"]["name"]) for o in objects(example)]
            self.assertEqual(len(names), len(set(names)))

    def test_pods_may_do_little(self):
        for example in EXAMPLES:
            for name, pod in pods(example):
                self.assertFalse(pod["automountServiceAccountToken"], name)
                self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
                self.assertEqual(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault")
                for container in pod["containers"]:
                    rights = container["securityContext"]
                    self.assertEqual((rights["readOnlyRootFilesystem"], rights["capabilities"],
                                      rights["allowPrivilegeEscalation"]),
                                     (True, {"drop": ["ALL"]}, False), name)
                    self.assertIn("memory", container["resources"]["limits"], name)

    def test_secrets_come_as_files(self):
        for example in EXAMPLES:
            for name, pod in pods(example):
                container = pod["containers"][0]
                text = json.dumps(container["env"])
                self.assertNotIn("secretKeyRef", text)
                variables = {v["name"]: v["value"] for v in container["env"]}
                self.assertNotIn("DATABASE_URL", variables)
                path = variables["DATABASE_URL_FILE"]
                mount = next(m for m in container["volumeMounts"] if path.startswith(m["mountPath"]))
                volume = next(v for v in pod["volumes"] if v["name"] == mount["name"])
                self.assertIn(path.rsplit("/", 1)[1], [i["path"] for i in volume["secret"]["items"]])
                self.assertTrue(mount["readOnly"], name)

    def test_everything_mounted_is_a_volume(self):
        for example in EXAMPLES:
            for name, pod in pods(example):
                self.assertEqual({m["name"] for m in pod["containers"][0]["volumeMounts"]},
                                 {v["name"] for v in pod["volumes"]}, name)

    def test_options_exist(self):
        """Every argument is one that the command knows."""
        known = {command: subprocess.run([fleet.PROGRAM, command, "--help"], text=True,
                                         capture_output=True, check=True).stdout
                 for command in ("serve", "worker", "migrate")}
        for example in EXAMPLES:
            for name, pod in pods(example):
                command, *arguments = pod["containers"][0]["args"]
                for argument in arguments:
                    self.assertIn(f"{argument.split('=')[0]} ", known[command] + " ", name)
                for variable in pod["containers"][0]["env"]:
                    short = variable["name"].removesuffix("_FILE")
                    if short.startswith("CAULDRON_") and short not in FOREIGN_VARIABLES:
                        self.assertTrue(any(f"[{short}]" in text for text in known.values()),
                                        f"no command knows {short}")

    def test_time_to_stop(self):
        """Kubernetes waits longer than the program does."""
        for example in EXAMPLES:
            for name, pod in pods(example):
                container = pod["containers"][0]
                told = [a for a in container["args"] if a.startswith("--stop-seconds=")]
                if not told:
                    continue
                drain = int(container.get("lifecycle", {}).get("preStop", {}).get("exec", {})
                            .get("command", [0, 0])[1])
                self.assertGreater(pod["terminationGracePeriodSeconds"],
                                   drain + int(told[0].split("=")[1]), name)

    def test_probes(self):
        for name, pod in pods("default"):
            container = pod["containers"][0]
            if container["name"] == "migrate":
                continue
            port = {p["name"] for p in container["ports"]}
            for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"),
                                ("readinessProbe", "/readyz")):
                get = container[probe]["httpGet"]
                self.assertEqual(get["path"], path, name)
                self.assertIn(get["port"], port)
        # Where Host is checked, probes say one that is allowed.
        server = dict(pods("full"))["shop-cauldron"]["containers"][0]
        self.assertEqual(server["readinessProbe"]["httpGet"]["httpHeaders"],
                         [{"name": "Host", "value": "pictures.example.org"}])

    def test_selectors_find_their_pods(self):
        for example in EXAMPLES:
            made = {o["metadata"]["name"]: o["spec"]["template"]["metadata"]["labels"]
                    for o in objects(example) if o["kind"] in ("Deployment", "Job")}
            for o in objects(example):
                if o["kind"] == "Service":
                    wanted = o["spec"]["selector"]
                elif o["kind"] in ("Deployment", "PodDisruptionBudget", "PodMonitor"):
                    wanted = o["spec"]["selector"]["matchLabels"]
                elif o["kind"] == "NetworkPolicy":
                    wanted = o["spec"]["podSelector"]["matchLabels"]
                else:
                    continue
                self.assertTrue([n for n, labels in made.items() if wanted.items() <= labels.items()],
                                f"{o['kind']} {o['metadata']['name']} selects nothing")
                if o["kind"] == "Deployment":
                    self.assertEqual([n for n, labels in made.items()
                                      if wanted.items() <= labels.items()], [o["metadata"]["name"]])

    def test_migrations_come_first(self):
        job = one("default", "Job", "shop-cauldron-migrate")
        self.assertEqual(job["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        self.assertEqual(job["spec"]["template"]["spec"]["containers"][0]["args"], ["migrate"])

    def test_gpu_class(self):
        gpu = dict(pods("full"))["shop-cauldron-worker-gpu"]
        self.assertEqual(gpu["containers"][0]["resources"]["limits"],
                         {"memory": "24Gi", "nvidia.com/gpu": 1})
        self.assertEqual(gpu["nodeSelector"], {"nvidia.com/gpu.present": "true"})
        self.assertEqual(gpu["tolerations"][0]["key"], "nvidia.com/gpu")
        self.assertIn("@sha256:fedc", gpu["containers"][0]["image"])
        self.assertNotIn("nodeSelector", dict(pods("full"))["shop-cauldron-worker-cpu"])


    def test_a_bucket_needs_no_volume(self):
        pod = dict(pods("full"))["shop-cauldron"]
        self.assertIn({"name": "BLOB_URL", "value": "gs://studio-pictures/cauldron"},
                      pod["containers"][0]["env"])
        self.assertEqual(objects("full", "PersistentVolumeClaim"), [])
        self.assertEqual(len(objects("default", "PersistentVolumeClaim")), 1)


class Network(unittest.TestCase):
    def test_nothing_by_default(self):
        deny = one("full", "NetworkPolicy", "shop-cauldron-deny")["spec"]
        self.assertEqual(deny["policyTypes"], ["Ingress", "Egress"])
        self.assertFalse("ingress" in deny or "egress" in deny)

    def allowed(self, example, component, role=None):
        """Rules of egress that count for a pod."""
        labels = {"app.kubernetes.io/name": "cauldron", "app.kubernetes.io/instance": "shop",
                  "app.kubernetes.io/component": component}
        rules = []
        for policy in objects(example, "NetworkPolicy"):
            select = policy["spec"]["podSelector"]
            if select["matchLabels"].items() <= labels.items() and not any(
                    component in e["values"] for e in select.get("matchExpressions", [])):
                rules += policy["spec"].get("egress", [])
        return rules

    def test_only_the_app_reaches_outside(self):
        outside = [r for r in self.allowed("full", "server") if "0.0.0.0/0" in json.dumps(r)]
        self.assertEqual(len(outside), 1)
        block = outside[0]["to"][0]["ipBlock"]
        self.assertIn("169.254.0.0/16", block["except"])
        self.assertEqual(outside[0]["ports"], [{"protocol": "TCP", "port": 443}])
        self.assertNotIn("0.0.0.0/0", json.dumps(self.allowed("full", "migrate")))

    def test_the_job_reaches_the_database_and_no_more(self):
        ports = {p["port"] for rule in self.allowed("full", "migrate") for p in rule["ports"]}
        self.assertEqual(ports, {53, 5432})

    def test_a_worker_reaches_what_it_needs(self):
        ports = {p["port"] for rule in self.allowed("full", "worker-gpu") for p in rule["ports"]}
        self.assertEqual(ports, {53, 80, 443, 2049, 5432, 6379, 27017})


class Keda(unittest.TestCase):
    """The CRDs' own schemas are not at hand: their documented fields, checked here."""

    METADATA = {"redis-streams": {"address", "stream", "consumerGroup", "lagCount",
                                  "activationLagCount", "databaseIndex"},
                "prometheus": {"serverAddress", "query", "threshold"}}

    def test_streams_and_group_are_the_queue_s(self):
        name = re.search(r'snprintf\(out, REDIS_NAME, "([^"]+)"',
                         (fleet.SOURCE / "src" / "jobs" / "redis.c").read_text())[1]
        streams = [name % ("studio", part)
                   for part in re.findall(r'redis_name\(&to, "([^"]+)"', CONSUMER)]
        group = re.search(r'#define GROUP "(\w+)"', CONSUMER)[1]
        self.assertEqual(len(streams), 2)
        for o in objects("full", "ScaledObject"):
            found = [t["metadata"] for t in o["spec"]["triggers"] if t["type"] == "redis-streams"]
            self.assertEqual(sorted(m["stream"] for m in found), sorted(streams))
            self.assertEqual({m["consumerGroup"] for m in found}, {group})

    def test_shape(self):
        for o in objects("full", "ScaledObject"):
            self.assertEqual(o["apiVersion"], "keda.sh/v1alpha1")
            spec = o["spec"]
            self.assertEqual(set(spec), {"scaleTargetRef", "pollingInterval", "cooldownPeriod",
                                         "minReplicaCount", "maxReplicaCount", "fallback", "advanced",
                                         "triggers"})
            deployment = one("full", "Deployment", spec["scaleTargetRef"]["name"])
            self.assertNotIn("replicas", deployment["spec"], "KEDA alone decides")
            self.assertLessEqual(spec["minReplicaCount"], spec["maxReplicaCount"])
            for trigger in spec["triggers"]:
                self.assertEqual(set(trigger["metadata"]), self.METADATA[trigger["type"]])
                for key, value in trigger["metadata"].items():
                    self.assertIsInstance(value, str, f"{key}: KEDA takes strings")
                if trigger["type"] == "redis-streams":
                    self.assertEqual(trigger["authenticationRef"], {"name": "shop-cauldron-redis"})
        secret = one("full", "TriggerAuthentication", "shop-cauldron-redis")["spec"]
        self.assertEqual(secret, {"secretTargetRef": [
            {"parameter": "password", "name": "cauldron-secrets", "key": "redis-password"}]})

    def test_the_window_limits_the_lag(self):
        """The queue keeps a window of tickets: a limit that the lag never asks for is refused."""
        window = int(re.search(r"\.window = (\d+)",
                               (fleet.SOURCE / "src" / "jobs" / "worker.c").read_text())[1])
        self.assertIn(f"div {window} ", (CHART / "templates" / "worker.yaml").read_text())
        values = ("--set", "workers.cpu.scaling.enabled=true", "--set",
                  "workers.cpu.scaling.lagCount=2")
        self.assertEqual(template(*values, "--set", "workers.cpu.scaling.maxReplicas=32").returncode, 0)
        done = template(*values, "--set", "workers.cpu.scaling.maxReplicas=33")
        self.assertIn("asks for no more than 32 workers", done.stderr)


class Monitoring(unittest.TestCase):
    def test_jobs_have_the_names_that_rules_know(self):
        names = {}
        for kind, where in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")):
            (monitor,) = objects("full", kind)
            (endpoint,) = monitor["spec"][where]
            self.assertEqual(endpoint["path"], "/metrics")
            names[kind] = endpoint["relabelings"][0]["replacement"]
        self.assertEqual(names, {"ServiceMonitor": "cauldron", "PodMonitor": "cauldron-worker"})
        known = {job["job_name"] for job in yaml.safe_load(
            (fleet.DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]}
        self.assertLessEqual(set(names.values()), known)

    def test_rules_are_those_of_prometheus(self):
        (rule,) = objects("full", "PrometheusRule")
        groups = [g for path in sorted((fleet.DEPLOY / "prometheus" / "rules").glob("*.yml"))
                  for g in yaml.safe_load(path.read_text())["groups"]]
        self.assertEqual(rule["spec"]["groups"], groups)

    def test_dashboards_are_those_of_grafana(self):
        (map_,) = objects("full", "ConfigMap")
        files = {p.name: p.read_text() for p in (fleet.DEPLOY / "grafana" / "dashboards").glob("*.json")}
        self.assertTrue(files)
        self.assertEqual({n: json.loads(t) for n, t in map_["data"].items()},
                         {n: json.loads(t) for n, t in files.items()})


class Refused(unittest.TestCase):
    CASES = {
        "replicas: {server: two}": "server.replicas=two",
        "an unknown name": "server.replica=2",
        "an unknown name of a class": "workers.cpu.gpus=1",
        "a digest that is none": "image.digest=sha256:123",
        "no secret": "secrets.existingSecret=",
        "a password as a value": "env.CAULDRON_ADMIN_PASSWORD=hunter2hunter2",
        "a URL with a password as a value": "env.DATABASE_URL=postgresql://u:p@h/d",
        "a password of a class": "workers.cpu.env.SENTRY_DSN=https://x@y/1",
        "a class's bad name": "workers.GPU.enabled=true",
        "a network that is none": "networkPolicy.outside.cidrs={everything}",
        "a port": "service.port=70000",
        "a privileged container": "securityContext.privileged=true",
        "a place that is none": "storage.pictures.url=ftp://x",
        "a connection with a password": "server.env.CAULDRON_CONNECTION_MONGO=mongodb://u:p@h",
        "a quantity": "storage.pictures.size=much",
        "a prefix with braces": "keda.redis.prefix=a{b}",
        "a stream's address with a scheme": "keda.redis.address=redis://redis:6379",
        "a policy of pulling": "image.pullPolicy=Sometimes",
    }

    def test_schema(self):
        for what, setting in self.CASES.items():
            with self.subTest(what):
                done = template("--set", setting)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, "values don't meet the specifications|don't meet")

    def test_what_no_schema_says(self):
        for settings, words in (
                (["workers.cpu.scaling.enabled=true", "workers.cpu.scaling.jobsPerWorker=9"],
                 "keda.prometheus.serverAddress is needed"),
                (["storage.pictures.create=false"], "give a url, name an existingClaim"),
                (["secrets.files.REDIS_URL=null"], "a queue that they share")):
            done = template(*[part for s in settings for part in ("--set", s)])
            self.assertIn(words, done.stderr)

    def test_defaults_are_in_the_schema(self):
        """Each default is known to the schema, and each name of the schema has a default."""
        schema = json.loads((CHART / "values.schema.json").read_text())
        values = yaml.safe_load((CHART / "values.yaml").read_text())

        def walk(part, value, path):
            if "$ref" in part:
                part = schema["definitions"][part["$ref"].rsplit("/", 1)[1]]
            if "properties" not in part or not part.get("additionalProperties") is False:
                return
            self.assertEqual(sorted(set(part["properties"]) - {"global"}), sorted(value), path)
            for name in value:
                walk(part["properties"][name], value[name], f"{path}.{name}")

        for example in ("image", "secrets", "storage", "models", "serviceAccount", "server", "service",
                        "ingress", "keda", "migrations", "networkPolicy", "monitoring"):
            walk(schema["properties"][example], values[example], example)


class Notes(unittest.TestCase):
    def notes(self, *settings):
        """NOTES.txt as it is printed after an installation, which needs a cluster: as a ConfigMap."""
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "cauldron"
            shutil.copytree(CHART, copy)
            (copy / "templates" / "NOTES.txt").rename(copy / "notes")
            (copy / "templates" / "notes.yaml").write_text(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\n"
                'data: {notes: {{ tpl (.Files.Get "notes") . | quote }}}\n')
            done = helm("template", "shop", copy, "--namespace", "studio", "--kube-version", KUBERNETES,
                        "--show-only", "templates/notes.yaml", *settings)
        self.assertEqual(done.returncode, 0, done.stderr)
        return yaml.safe_load(done.stdout)["data"]["notes"]

    def test_they_say_what_is_missing(self):
        text = self.notes()
        for words in ("NO WAY TO THE DATABASE", "NO WAY TO REDIS", "create secret generic cauldron",
                      "--from-file=database-url"):
            self.assertIn(words, text)
        self.assertNotIn("NOTHING DRAWS", text)
        self.assertIn("NOTHING DRAWS", self.notes("--set", "workers.cpu.enabled=false"))

    def test_they_are_quiet_where_all_is_well(self):
        text = self.notes("-f", CHART / "ci" / "full.yaml")
        self.assertNotRegex(text, "NO WAY|NOTHING DRAWS|allowHosts is empty")
        self.assertIn("https://pictures.example.org", text)
        self.assertIn("gpu (0 to 200 by KEDA)", text)


if __name__ == "__main__":
    unittest.main()
