"""The OpenAI door: with the stock client where it is installed, and by plain requests."""

import base64
import glob
import json
import os
import sys
import threading
import unittest
import urllib.request

from server import ApiTest, need_backends, picture_size

VENV = os.environ.get("CAULDRON_TEST_VENV", "")
sys.path += glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages"))
try:
    import openai
except ImportError:
    openai = None

setUpModule = need_backends
URL = "/v1/images/generations"
SMALL = {"prompt": "a red circle", "size": "64x64"}
QUICK = {"steps": 4, "seed": 7}


@unittest.skipUnless(openai, "NOT RUN: the package openai is missing: "
                     f"python3 -m venv {VENV} && {VENV}/bin/pip install "
                     "-r tests/api/requirements.txt")
class StockClient(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = openai.OpenAI(base_url=cls.server.url + "/v1", api_key="none", max_retries=0)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    def generate(self, **wanted):
        return self.client.images.generate(**{**SMALL, "extra_body": QUICK, **wanted})

    def test_urls(self):
        answer = self.generate(n=2)
        self.assertEqual(len(answer.data), 2)
        self.assertEqual(answer.size, "64x64")
        for image in answer.data:
            self.assertEqual(image.revised_prompt, "a red circle")
            with urllib.request.urlopen(image.url) as got:
                self.assertEqual(picture_size(got.read()), ("png", 64, 64))

    def test_urls_of_other_formats(self):
        image = self.generate(output_format="webp", output_compression=50).data[0]
        with urllib.request.urlopen(image.url) as got:
            self.assertEqual(picture_size(got.read()), ("webp", 64, 64))

    def test_bytes(self):
        for wanted, form in (({}, "png"), ({"output_format": "webp"}, "webp"),
                             ({"output_format": "jpeg", "output_compression": 30}, "jpeg")):
            answer = self.generate(response_format="b64_json", **wanted)
            self.assertEqual(picture_size(base64.b64decode(answer.data[0].b64_json)),
                             (form, 64, 64))
            self.assertEqual(answer.output_format, form)

    def test_models_of_openai_mean_the_default(self):
        one = self.generate(model="dall-e-3", quality="hd", style="vivid", user="me")
        two = self.generate(model="gpt-image-1", moderation="low", background="auto")
        self.assertTrue(one.data[0].url)
        self.assertTrue(two.data[0].b64_json)

    def test_native_size(self):
        for size in ("auto", None):
            answer = self.client.images.generate(prompt="a red circle", model="demo",
                                                 **({"size": size} if size else {}),
                                                 extra_body=QUICK)
            self.assertEqual(answer.size, "128x128")

    def test_models(self):
        models = list(self.client.models.list())
        self.assertIn("demo", [m.id for m in models])
        self.assertGreater(models[0].created, 1_600_000_000)

    def test_stream(self):
        events = list(self.generate(size="256x256", stream=True, partial_images=2,
                                    output_format="jpeg",
                                    extra_body={"steps": 150, "seed": 8, "sampler": "euler"}))
        kinds = [e.type for e in events]
        self.assertEqual(kinds[-1], "image_generation.completed")
        partial = [e for e in events if e.type == "image_generation.partial_image"]
        self.assertEqual([e.partial_image_index for e in partial], list(range(len(partial))))
        self.assertIn(len(partial), (1, 2))
        for event in events:
            self.assertEqual(picture_size(base64.b64decode(event.b64_json)), ("jpeg", 256, 256))
        # A finished picture comes at once.
        again = list(self.generate(size="256x256", stream=True, output_format="jpeg",
                                   extra_body={"steps": 150, "seed": 8, "sampler": "euler"}))
        self.assertEqual([e.type for e in again], ["image_generation.completed"])
        self.assertEqual(again[0].b64_json, events[-1].b64_json)

    def test_errors(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            self.generate(model="nobody/nothing")
        self.assertEqual(caught.exception.code, "model_not_found")
        self.assertIn("demo", caught.exception.message)
        with self.assertRaises(openai.UnprocessableEntityError) as caught:
            self.generate(size="65x64")
        self.assertEqual(caught.exception.param, "size")
        with self.assertRaises(openai.UnprocessableEntityError) as caught:
            self.generate(size="large")
        self.assertEqual(caught.exception.param, "size")


class PlainRequests(ApiTest):
    def error(self, status, body, **more):
        answer = self.post(URL, body, status, **more)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        error = answer.json["error"]
        self.assertEqual(set(error), {"message", "type", "param", "code"})
        self.assertTrue(error["message"])
        return error

    def test_shape_of_errors(self):
        error = self.error(422, {"prompt": "x", "n": 11})
        self.assertEqual((error["type"], error["param"]), ("invalid_request_error", "n"))
        self.assertEqual(self.error(422, {"n": 1})["param"], "prompt")
        self.error(400, b"{", headers={"Content-Type": "application/json"})
        self.error(415, b"x", headers={"Content-Type": "text/plain"})

    def test_unknown_members_are_let_be(self):
        answer = self.post(URL, {**SMALL, **QUICK, "nonsense": {"x": 1}, "n": None})
        self.assertEqual(len(answer.json["data"]), 1)
        self.assertEqual(answer.json["usage"]["total_tokens"], 0)

    def test_what_goes_beyond(self):
        answer = self.post(URL, {**SMALL, **QUICK, "negative_prompt": "blue", "cfg_scale": 3,
                                 "sampler": "DPM++ 2M", "schedule": "karras"})
        one = self.get("/api/v1/generations").json["items"][0]
        self.assertIn(one["id"], answer.json["data"][0]["url"])
        self.assertEqual((one["negative_prompt"], one["cfg_scale"], one["sampler"], one["schedule"],
                          one["seed"]), ("blue", 3, "dpmpp_2m", "karras", 7))

    def test_events_on_the_wire(self):
        answer = self.post(URL, {**SMALL, **QUICK, "seed": 99, "n": 2, "stream": True})
        self.assertTrue(answer.headers["Content-Type"].startswith("text/event-stream"))
        events = answer.body.decode().strip("\n").split("\n\n")
        self.assertEqual(len(events), 2)
        for event in events:
            name, data = event.split("\n")
            self.assertEqual(name, "event: image_generation.completed")
            data = json.loads(data.removeprefix("data: "))
            self.assertEqual(data["type"], "image_generation.completed")
            self.assertEqual(picture_size(base64.b64decode(data["b64_json"])), ("png", 64, 64))

    def test_cancelled(self):
        def cancel():
            job = self.until(lambda: self.get("/api/v1/jobs?status=queued").json["items"])[0]
            self.post(f"/api/v1/jobs/{job['id']}/cancel")

        with self.paused_queue():
            thread = threading.Thread(target=cancel)
            thread.start()
            error = self.error(500, {**SMALL, **QUICK, "seed": 12345})
            thread.join()
            self.assertIn("cancelled", error["message"])
            self.assertEqual(error["type"], "server_error")


class Keys(ApiTest):
    users = (("anna", "admin", "a long enough password"),)

    def test_bearer(self):
        error = self.post(URL, SMALL, 401).json["error"]
        self.assertEqual(error["type"], "authentication_error")
        self.assertEqual(self.server.ask("GET", "/v1/models").status, 401)
        login = self.post("/api/v1/login", {"name": "anna", "password": "a long enough password"})
        cookie = login.headers["Set-Cookie"].split(";")[0]
        key = self.post("/api/v1/api-keys", {"name": "test"}, 201,
                        headers={"Cookie": cookie}).json["key"]
        bearer = {"Authorization": f"Bearer {key}"}
        self.get("/v1/models", headers=bearer)
        answer = self.post(URL, {**SMALL, **QUICK, "response_format": "b64_json"}, headers=bearer)
        self.assertEqual(len(answer.json["data"]), 1)
        mine = self.get("/api/v1/generations", headers=bearer).json["items"]
        self.assertEqual(len(mine), 1)
        self.assertTrue(mine[0]["user_id"])


if __name__ == "__main__":
    unittest.main()
