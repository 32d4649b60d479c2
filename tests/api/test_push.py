"""Web Push: browsers subscribe, and hear once when an experiment of theirs ends."""

import glob
import itertools
import os
import signal
import subprocess
import sys
import unittest

from server import DATABASE, PROGRAM, QUEUE, SOURCE, ApiTest, Server, need_backends

VENV = os.environ.get("CAULDRON_TEST_VENV", "")
sys.path += glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages"))
sys.path.append(str(SOURCE / "tests" / "fakes"))
try:
    from push import PushService, coded
except ImportError as missing:
    PushService, WHY = None, missing

PASSWORD = "correct horse battery"
PRIVATE = ("--push-private", "on") # the fake push service is on loopback
COUNT = itertools.count()
DOCUMENT = {"version": 1, "type": "convergence",
            "base": {"model": "demo", "width": 64, "height": 64, "seed": 5, "cfg_scale": 3},
            "samplers": ["euler"], "steps": [2, 3]}


def setUpModule():
    need_backends()
    if not PushService:
        raise unittest.SkipTest(f"NOT RUN: {WHY} (tools/test_clients.sh)")


class Push(ApiTest):
    options = PRIVATE

    def setUp(self):
        self.service = PushService()
        self.addCleanup(self.service.close)
        self.addCleanup(self.remove_subscriptions)

    def remove_subscriptions(self):
        for one in self.subscriptions():
            self.ask(204, "DELETE", f"/api/v1/push/subscriptions/{one['id']}")

    def subscriptions(self, headers=None):
        return self.get("/api/v1/push/subscriptions", headers=headers).json["items"]

    def subscribe(self, browser=None, status=201, headers=None):
        browser = browser or self.service.browser(self.key())
        return browser, self.post("/api/v1/push/subscriptions", browser.subscription, status,
                                  headers=headers).json

    def key(self):
        return self.get("/api/v1/push", headers=getattr(self, "anybody", None)).json["public_key"]

    def document(self, **more):
        """Two cells that nobody has drawn."""
        return {**DOCUMENT, "prompts": [f"{next(COUNT)} red circles"], **more}

    def start(self, headers=None, name="two cells", document=None, **more):
        x = self.post("/api/v1/experiments",
                      {"spec": document or self.document(**more), "name": name}, 201,
                      headers=headers).json
        self.post(f"{x['url']}/start", None, 202, headers=headers)
        return x

    def heard(self, browser, count=1):
        self.until(lambda: len(browser.messages) >= count)
        self.assertEqual(self.service.complaints, [])
        return browser.messages

    def is_still(self, browser, count):
        """Nothing more comes: the next experiment's message is the next one that is heard."""
        other = self.start(name="the next one")
        self.until(lambda: any(m["experiment_id"] == other["id"] for m in browser.messages))
        self.assertEqual(len(browser.messages), count + 1, browser.messages)


class Subscriptions(Push):
    def test_listed_without_keys_and_ended(self):
        browser, made = self.subscribe(headers={"User-Agent": "Browser/1 (\x7f\xe9)"})
        self.assertEqual(made["endpoint"], browser.subscription["endpoint"])
        self.assertIsNone(made["sent_at"])
        self.assertTrue(made["agent"].startswith("Browser/1"))
        self.assertEqual(self.subscriptions(), [made])
        for secret in browser.subscription["keys"].values():
            self.assertNotIn(secret, str(self.subscriptions()))
        self.ask(204, "DELETE", f"/api/v1/push/subscriptions/{made['id']}")
        self.ask(404, "DELETE", f"/api/v1/push/subscriptions/{made['id']}")
        self.assertEqual(self.subscriptions(), [])

    def test_again_is_the_same(self):
        browser, made = self.subscribe()
        browser.auth = b"0123456789abcdef"
        browser.subscription["keys"]["auth"] = coded(browser.auth)
        _, again = self.subscribe(browser, 200)
        self.assertEqual(again["id"], made["id"])
        self.assertEqual(len(self.subscriptions()), 1)
        self.post(f"/api/v1/push/subscriptions/{made['id']}/test") # with the newer keys
        self.assertEqual(len(self.heard(browser)), 1)

    def test_the_key_is_the_same_after_a_restart(self):
        key = self.key()
        self.assertEqual(len(key), 87)
        self.server.stop()
        self.server.start()
        self.assertEqual(self.key(), key)

    def test_hostile_ones(self):
        good = self.service.browser().subscription
        keys = good["keys"]
        off_curve = coded(b"\x04" + b"\x01" * 64)
        for pointer, bad in [
                ("/endpoint", {"endpoint": "http://push.example.net/x"}),
                ("/endpoint", {"endpoint": "file:///etc/passwd"}),
                ("/endpoint", {"endpoint": "https://user:secret@push.example.net/"}),
                ("/endpoint", {"endpoint": "https://push.example.net/\r\nHost: x"}),
                ("/endpoint", {"endpoint": "x" * 20}),
                ("/endpoint", {"endpoint": "https://push.example.net/" + "x" * 2000}),
                ("/keys/p256dh", {"keys": {**keys, "p256dh": off_curve}}),
                ("/keys/p256dh", {"keys": {**keys, "p256dh": "!" * 87}}),
                ("/keys/auth", {"keys": {**keys, "auth": "!" * 22}}),
                ("/keys/auth", {"keys": {**keys, "auth": "A" * 24}}),
                ("/expirationTime", {"expirationTime": 1000})]:
            with self.subTest(str(bad)):
                self.problem(422, "POST", "/api/v1/push/subscriptions", {**good, **bad},
                             pointers=[pointer])
        self.assertEqual(self.subscriptions(), [])

    def test_there_are_not_too_many(self):
        for _ in range(20):
            self.subscribe()
        self.subscribe(status=409)
        self.subscribe(next(iter(self.service.browsers.values())), 200) # an old one may renew

    def test_test_messages(self):
        browser, made = self.subscribe()
        path = f"/api/v1/push/subscriptions/{made['id']}"
        self.assertEqual(self.post(path + "/test").json, {"status": 201, "detail": None})
        self.assertEqual(self.heard(browser)[0]["url"], "/")
        self.assertIsNotNone(self.subscriptions()[0]["sent_at"])
        self.service.answers[browser.path] = [(307, {"Location": "/send/other"}), (403, {})]
        for status in (307, 403):
            answer = self.post(path + "/test").json
            self.assertEqual(answer["status"], status)
            self.assertIn(str(status), answer["detail"])
        self.assertEqual(self.subscriptions()[0]["error"], answer["detail"])
        self.service.answers[browser.path] = [(410, {})]
        self.assertEqual(self.post(path + "/test").json["status"], 410)
        self.assertEqual(self.subscriptions(), [])

    def test_nobody_listens(self):
        _, made = self.subscribe()
        self.service.close()
        answer = self.post(f"/api/v1/push/subscriptions/{made['id']}/test").json
        self.assertEqual(answer["status"], 0)
        self.assertTrue(answer["detail"])


class Ends(Push):
    def test_one_message_for_every_browser(self):
        (one, _), (two, made) = self.subscribe(), self.subscribe()
        x = self.start(name="a <b>bold</b> name")
        for browser in (one, two):
            message = self.heard(browser)[0]
            self.assertEqual(message["title"], "a <b>bold</b> name")
            self.assertIn("2 pictures", message["body"])
            self.assertEqual(message["url"], f"/experiments/{x['id']}")
            self.assertEqual(message["experiment_id"], x["id"])
            self.assertIn(x["id"], message["tag"])
        request = self.service.requests[0]
        self.assertEqual(request.headers["TTL"], "86400")
        self.assertEqual(request.headers["Urgency"], "normal")
        self.until(lambda: all(s["sent_at"] for s in self.subscriptions()))
        self.is_still(one, 1)
        self.assertEqual(self.get(x["url"]).json["status"], "completed")

    def test_a_busy_service_is_tried_again(self):
        browser, _ = self.subscribe()
        self.service.answers[browser.path] = [(503, {"Retry-After": "1"}),
                                              (429, {"Retry-After": "1"})]
        self.start()
        self.heard(browser)
        statuses = [r.status for r in self.service.requests]
        self.assertEqual(statuses, [503, 429, 201])
        self.until(lambda: self.subscriptions()[0]["sent_at"])
        self.assertIsNone(self.subscriptions()[0]["error"])

    def test_a_browser_that_is_gone_is_dropped(self):
        gone, _ = self.subscribe()
        stays, made = self.subscribe()
        self.service.answers[gone.path] = [(410, {})]
        self.start()
        self.heard(stays)
        self.until(lambda: [s["id"] for s in self.subscriptions()] == [made["id"]])

    def test_a_service_that_hangs_delays_nobody(self):
        slow, _ = self.subscribe()
        quick, _ = self.subscribe()
        self.service.hang.add(slow.path)
        self.start()
        self.heard(quick)
        self.assertEqual(slow.messages, [])
        self.service.over.set()

    def test_what_its_owner_cancels_is_no_news(self):
        browser, _ = self.subscribe()
        with self.paused_queue():
            x = self.start(name="cancelled")
            self.post(f"{x['url']}/cancel")
        self.is_still(browser, 0)

    def test_a_budget_that_is_used_up_is(self):
        browser, _ = self.subscribe()
        with self.paused_queue():
            x = self.start(name="dear", budget={"seconds": 4}) # enough for the plan
            message = self.heard(browser)[0]
        self.assertEqual((message["body"], self.get(x["url"]).json["status"]),
                         ("Stopped, its time is used up: 0 of 2 pictures.", "cancelled"))

    def test_what_ends_again_is_told_again(self):
        browser, _ = self.subscribe()
        document = self.document()
        x = self.start(document=document)
        self.heard(browser)
        self.post(f"{x['url']}/extend", {"replicates": 2}, 202)
        self.assertEqual({m["experiment_id"] for m in self.heard(browser, 2)}, {x["id"]})

    def test_what_could_not_be_sent_survives_the_server(self):
        browser, _ = self.subscribe()
        self.service.answers[browser.path] = [(503, {"Retry-After": "2"})]
        self.start()
        self.until(lambda: self.subscriptions()[0]["error"])
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.heard(browser)
        self.is_still(browser, 1)


class People(Push):
    users = (("anna", "admin", PASSWORD), ("ed", "editor", PASSWORD), ("vi", "viewer", PASSWORD))

    def remove_subscriptions(self):
        pass

    def as_user(self, name):
        answer = self.post("/api/v1/login", {"name": name, "password": PASSWORD})
        return {"Cookie": answer.headers["Set-Cookie"].split(";")[0]}

    def setUp(self):
        super().setUp()
        self.anna, self.ed = self.as_user("anna"), self.as_user("ed")
        self.anybody = self.ed

    def test_each_has_their_own(self):
        annas, of_anna = self.subscribe(headers=self.anna)
        eds, of_ed = self.subscribe(headers=self.ed)
        self.assertEqual([s["id"] for s in self.subscriptions(self.anna)], [of_anna["id"]])
        self.assertEqual([s["id"] for s in self.subscriptions(self.ed)], [of_ed["id"]])
        for who, other in ((self.anna, of_ed), (self.ed, of_anna)):
            path = f"/api/v1/push/subscriptions/{other['id']}"
            self.ask(404, "DELETE", path, headers=who)
            self.post(path + "/test", None, 404, headers=who)
        x = self.start(headers=self.ed)
        self.assertEqual(self.heard(eds)[0]["experiment_id"], x["id"])
        y = self.start(headers=self.anna)
        self.assertEqual([m["experiment_id"] for m in self.heard(annas)], [y["id"]])
        self.assertEqual(len(eds.messages), 1)

    def test_a_browser_changes_hands(self):
        browser, first = self.subscribe(headers=self.ed)
        _, second = self.subscribe(browser, 201, headers=self.as_user("vi"))
        self.assertNotEqual(first["id"], second["id"])
        self.assertNotIn(first["id"], [s["id"] for s in self.subscriptions(self.ed)])
        stolen = {**browser.subscription, "keys": self.service.browser().subscription["keys"]}
        self.post("/api/v1/push/subscriptions", stolen, 403, headers=self.ed)


class GivenKey(Push):
    # The key pair of RFC 8291, appendix A.
    options = (*PRIVATE, "--vapid-key", "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
               "--push-contact", "mailto:admin@example.org")

    def test_it_signs(self):
        self.assertEqual(self.key(), "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY"
                                     "WAmS6TlzAC8wEqKK6PBru3jl7A8")
        browser, made = self.subscribe()
        self.post(f"/api/v1/push/subscriptions/{made['id']}/test")
        self.heard(browser)

    def test_bad_options_are_refused_at_the_start(self):
        for bad in (["--vapid-key", "abc"], ["--push-contact", "me@example.org"]):
            done = subprocess.run([PROGRAM, "serve", "--port", "0", *bad, "--data",
                                   str(self.server.folder / "other")], capture_output=True,
                                  text=True, env=self.server.environment(), check=False)
            self.assertEqual(done.returncode, 1)
            self.assertNotIn("abc", done.stderr)


class Listed(Push):
    options = (*PRIVATE, "--allow-hosts", "push.example.org 127.0.0.1")

    def test_only_hosts_that_are_listed(self):
        browser, made = self.subscribe()
        self.post(f"/api/v1/push/subscriptions/{made['id']}/test")
        self.heard(browser)
        for host in ("push.example.com", "x.push.example.org", "10.0.0.1"):
            body = {**self.service.browser().subscription, "endpoint": f"https://{host}/x"}
            problem = self.problem(422, "POST", "/api/v1/push/subscriptions", body,
                                   pointers=["/endpoint"])
            self.assertIn(host, problem["errors"][0]["expected"])
            self.assertIn("CAULDRON_ALLOW_HOSTS", problem["errors"][0]["expected"])

    def test_a_list_that_became_shorter(self):
        browser, made = self.subscribe()
        self.server.stop()
        self.server.options[-1] = "push.example.org"
        self.addCleanup(self.server.start)
        self.addCleanup(self.server.options.__setitem__, -1, self.options[-1])
        self.addCleanup(self.server.stop)
        self.server.start()
        problem = self.problem(403, "POST", f"/api/v1/push/subscriptions/{made['id']}/test")
        self.assertIn("CAULDRON_ALLOW_HOSTS", problem["detail"])
        self.assertEqual(browser.messages, [])

    def test_error_reports_too(self):
        for dsn, status in (("http://key@sentry.example.com/1", 1),
                            ("http://key@127.0.0.1:1/sub/1", 0)):
            process = subprocess.Popen(
                [PROGRAM, "serve", "--port", "0", "--sentry", dsn, *self.options, "--data",
                 str(self.server.folder / f"other{status}")], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, env=self.server.environment())
            if not status:
                self.assertTrue(process.stdout.readline())
                process.terminate()
            _, said = process.communicate(timeout=60)
            self.assertEqual(process.returncode, status, said)
            if status:
                self.assertIn("sentry.example.com", said)
                self.assertIn("CAULDRON_ALLOW_HOSTS", said)


class Careful(Push):
    options = () # as it is on the internet

    def test_private_networks_are_left_alone(self):
        for endpoint in ("https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.1/x",
                         "https://[::1]/x", "https://169.254.169.254/x", "http://127.0.0.1/x",
                         self.service.url + "/send/0"):
            body = {**self.service.browser().subscription, "endpoint": endpoint}
            self.problem(422, "POST", "/api/v1/push/subscriptions", body, pointers=["/endpoint"])

    def test_also_behind_a_name(self):
        port = self.service.url.rsplit(":", 1)[1]
        body = {**self.service.browser().subscription,
                "endpoint": f"https://rebound.localhost:{port}/x"}
        made = self.post("/api/v1/push/subscriptions", body, 201).json
        answer = self.post(f"/api/v1/push/subscriptions/{made['id']}/test").json
        self.assertEqual(answer["status"], 0)
        self.assertIn("private", answer["detail"])
        self.assertEqual(self.service.requests, [])


@unittest.skipUnless((DATABASE, QUEUE) == ("postgres", "redis"),
                     "processes of their own share PostgreSQL and Redis")
class Fleet(Push):
    """Two servers that do not draw and two workers, all of which may send."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.stop()
        cls.server.options += ["--no-draw"]
        cls.server.start()
        cls.second = Server.__new__(Server)
        cls.second.__dict__.update(cls.server.__dict__, log=[], process=None)
        cls.second.start()
        cls.workers = [subprocess.Popen(
            [PROGRAM, "worker", "--threads", "1", *PRIVATE, *cls.server.storage()],
            env=cls.server.environment(), cwd=cls.server.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]

    @classmethod
    def tearDownClass(cls):
        for worker in cls.workers:
            worker.terminate()
            worker.wait(60)
        cls.second.stop()
        super().tearDownClass()

    def test_they_share_the_key(self):
        self.assertEqual(self.second.ask("GET", "/api/v1/push").json["public_key"], self.key())

    def test_one_message_each(self):
        browser, _ = self.subscribe()
        names = [f"run {i}" for i in range(6)]
        for name in names:
            self.start(name=name)
        self.heard(browser, len(names))
        self.is_still(browser, len(names))
        self.assertEqual(sorted(m["title"] for m in browser.messages[:-1]), names)


del Push # its subclasses are the tests
