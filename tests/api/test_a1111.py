"""The A1111 door: requests as its clients send them (data/a1111_*.json), and what they count on."""

import base64
import json
import pathlib
import struct
import threading
import unittest
import zlib

from server import ApiTest, need_backends, picture_size

setUpModule = need_backends
HERE = pathlib.Path(__file__).resolve().parent
SMALL = {"prompt": "a red circle", "steps": 4, "width": 64, "height": 64}
KINDS = {"text": str, "number": (int, float), "flag": bool, "object": dict}


def png(colour, width=64, height=64):
    """A PNG of one colour: 1 (grey), 3 (RGB) or 4 (RGBA) bytes."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    kind = {1: 0, 3: 2, 4: 6}[len(colour)]
    rows = (b"\0" + bytes(colour) * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind,
                                                              0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def text(data):
    return base64.b64encode(data).decode()


class Clients(ApiTest):
    """Every recorded call succeeds and answers with what its client reads."""

    def fill(self, value):
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if isinstance(value, str):
            return (value.replace("$png", text(png((200, 30, 30))))
                    .replace("$mask", text(png((255,)))).replace("$title", self.title))
        return value

    def replay(self, name):
        self.title = self.get("/sdapi/v1/sd-models").json[0]["title"]
        for call in json.loads((HERE / "data" / f"a1111_{name}.json").read_text())["calls"]:
            with self.subTest(call["path"]):
                answer = self.ask(200, call["method"], call["path"], self.fill(call.get("body")))
                for member, kind in call.get("expect", {}).items():
                    self.assertIsInstance(answer.json[member], KINDS[kind], member)
                for member in call.get("expect_list", []):
                    self.assertTrue(answer.json)
                    for one in answer.json:
                        self.assertIn(member, one)
                if "images" in call:
                    self.check_images(answer.json, call)

    def check_images(self, answer, call):
        self.assertEqual(len(answer["images"]), call["images"])
        info = json.loads(answer["info"])
        for image, line, seed in zip(answer["images"], info["infotexts"], info["all_seeds"]):
            data = base64.b64decode(image, validate=True)
            self.assertEqual(picture_size(data), ("png", 64, 64))
            self.assertIn(f"Seed: {seed}, Size: 64x64", line)
        self.assertEqual(info["prompt"], call["body"]["prompt"])
        self.assertEqual(info["steps"], call["body"]["steps"])

    def test_open_webui(self):
        self.replay("open_webui")

    def test_sillytavern(self):
        self.replay("sillytavern")

    def test_koboldlite(self):
        self.replay("koboldlite")

    def test_webuiapi(self):
        self.replay("webuiapi")

    def test_krita(self):
        self.replay("krita")


class Text2Image(ApiTest):
    def draw_a1111(self, path="/sdapi/v1/txt2img", **body):
        answer = self.post(path, {**SMALL, **body}).json
        return answer, json.loads(answer["info"])

    def test_answer(self):
        answer, info = self.draw_a1111(seed=5, negative_prompt="blue", sampler_name="DPM++ 2M",
                                       scheduler="Karras", cfg_scale=7, n_iter=2, batch_size=2)
        self.assertEqual(answer["parameters"]["n_iter"], 2)
        self.assertEqual(info["all_seeds"], [5, 6, 7, 8])
        self.assertEqual((info["seed"], info["subseed"], info["batch_size"]), (5, 5, 2))
        self.assertEqual(info["all_prompts"], ["a red circle"] * 4)
        self.assertEqual(info["all_negative_prompts"], ["blue"] * 4)
        self.assertEqual((info["sampler_name"], info["sd_model_name"]), ("DPM++ 2M", "demo"))
        self.assertRegex(info["infotexts"][1],
                         r"^a red circle\nNegative prompt: blue\nSteps: 4, Sampler: DPM\+\+ 2M, "
                         r"Schedule type: Karras, CFG scale: 7, Seed: 6, Size: 64x64, Model hash: "
                         r"[0-9a-f]{10}, Model: demo, RNG: CPU, Version: cauldron \S+$")
        self.assertIsNone(info["denoising_strength"])
        self.assertRegex(info["job_timestamp"], r"^\d{14}$")
        # The file says the same.
        self.assertIn(info["infotexts"][0].encode(), base64.b64decode(answer["images"][0]))
        again, _ = self.draw_a1111(seed=6, negative_prompt="blue", sampler_name="DPM++ 2M Karras",
                                   cfg_scale=7)
        self.assertEqual(again["images"], answer["images"][1:2])

    def test_defaults(self):
        with self.paused_queue():
            thread = threading.Thread(target=self.server.ask, daemon=True,
                                      args=("POST", "/sdapi/v1/txt2img", {"prompt": "x"}))
            thread.start()
            one = self.until(lambda: self.get("/api/v1/generations?q=x").json["items"])[0]
            self.post("/sdapi/v1/interrupt")
            thread.join(20)
        self.assertEqual((one["steps"], one["cfg_scale"], one["width"], one["height"]),
                         (50, 7, 512, 512))
        self.assertLess(one["seed"], 2**32)

    def test_without_images(self):
        answer, info = self.draw_a1111(send_images=False)
        self.assertEqual(answer["images"], [])
        self.assertEqual(len(info["infotexts"]), 1)

    def test_overrides(self):
        _, info = self.draw_a1111(override_settings={"sd_model_checkpoint": "demo.safetensors",
                                                     "CLIP_stop_at_last_layers": 2,
                                                     "randn_source": "GPU"})
        self.assertEqual(info["clip_skip"], 2)
        self.assertIn("Clip skip: 2", info["infotexts"][0])
        self.assertNotIn("RNG: CPU", info["infotexts"][0])

    def test_infotext(self):
        _, info = self.draw_a1111(infotext="a blue star\nNegative prompt: red\nSteps: 3, Sampler: "
                                  "Euler, Schedule type: Automatic, CFG scale: 3.5, Seed: 77, Size: "
                                  "96x64, Model: demo, RNG: CPU", prompt="", steps=None, width=None,
                                  height=None)
        self.assertEqual((info["prompt"], info["negative_prompt"], info["steps"], info["cfg_scale"],
                          info["seed"], info["width"], info["height"], info["sampler_name"]),
                         ("a blue star", "red", 3, 3.5, 77, 96, 64, "Euler"))

    def test_what_is_not_done_is_refused(self):
        for body in ({"enable_hr": True}, {"subseed_strength": 0.3}, {"styles": ["x"]},
                     {"script_name": "x/y"}, {"alwayson_scripts": {"ADetailer": {"args": []}}},
                     {"restore_faces": True}, {"tiling": True}, {"refiner_checkpoint": "x"},
                     {"seed_resize_from_w": 512}, {"prompt": "a <lora:x:1> b"},
                     {"override_settings": {"sd_vae": "x.pt"}},
                     {"sampler_name": "Euler a", "eta": 0.5}):
            with self.subTest(body):
                detail = self.post("/sdapi/v1/txt2img", {**SMALL, **body}, 422).json["detail"]
                self.assertEqual(detail[0]["loc"][:2], ["body", next(reversed(body))])
                self.assertTrue(detail[0]["msg"])

    def test_bad_values(self):
        for body, where in (({"steps": 0}, ["body", "steps"]), ({"width": 65}, ["body", "width"]),
                            ({"sampler_name": "No such"}, ["body", "sampler_name"]),
                            ({"n_iter": 64, "batch_size": 2}, ["body", "n_iter"]),
                            ({"seed": "x"}, ["body", "seed"])):
            with self.subTest(body):
                detail = self.post("/sdapi/v1/txt2img", {**SMALL, **body}, 422).json["detail"]
                self.assertEqual(detail[0]["loc"], where)
        detail = self.post("/sdapi/v1/txt2img",
                           {**SMALL, "override_settings": {"sd_model_checkpoint": "nobody"}},
                           404).json["detail"]
        self.assertIn("installed: demo", detail)
        self.assertIn("detail", self.post("/sdapi/v1/txt2img", b"{", 400, headers={
            "Content-Type": "application/json"}).json)


class Image2Image(ApiTest):
    def draw_a1111(self, status=200, **body):
        return self.post("/sdapi/v1/img2img",
                         {**SMALL, "seed": 9, "sampler_name": "Euler", **body}, status).json

    def test_strength(self):
        red = text(png((255, 0, 0)))
        near = self.draw_a1111(init_images=[red], denoising_strength=0.3)
        far = self.draw_a1111(init_images=[red], denoising_strength=1.0)
        self.assertNotEqual(near["images"], far["images"])
        info = json.loads(near["info"])
        self.assertEqual(info["denoising_strength"], 0.3)
        self.assertIn("Denoising strength: 0.3", info["infotexts"][0])
        self.assertIsNone(near["parameters"]["init_images"])
        with_them = self.draw_a1111(init_images=[red], include_init_images=True)
        self.assertEqual(with_them["parameters"]["init_images"], [red])

    def test_masks(self):
        red = text(png((255, 0, 0)))

        def masked(mask, **more):
            return self.draw_a1111(init_images=[red], mask=text(mask), **more)["images"]

        white, black = masked(png((255,))), masked(png((0,)))
        self.assertNotEqual(white, black)
        self.assertEqual(masked(png((0,)), inpainting_mask_invert=1), white)
        self.assertEqual(masked(png((255,)), inpainting_mask_invert=True), black)
        # With some transparency, that is the mask; its colours are not.
        self.assertEqual(masked(png((255, 255, 255, 0))), black)
        self.assertEqual(masked(png((255, 255, 255, 255))), white)
        for body in ({"mask_blur": 4}, {"inpaint_full_res": True}, {"inpainting_fill": 0}):
            detail = self.draw_a1111(422, init_images=[red], mask=text(png((255,))), **body)
            self.assertEqual(detail["detail"][0]["loc"], ["body", *body])

    def test_bad_pictures(self):
        for images in ([], None, ["x"], [text(b"none")], ["http://example.org/x.png"]):
            detail = self.draw_a1111(422, init_images=images)["detail"]
            self.assertEqual(detail[0]["loc"][:2], ["body", "init_images"], images)
        self.assertEqual(self.draw_a1111(422)["detail"][0]["loc"], ["body", "init_images"])
        detail = self.draw_a1111(422, init_images=[text(png((1,)))], mask="x")["detail"]
        self.assertEqual(detail[0]["loc"], ["body", "mask"])


class State(ApiTest):
    def start(self, **body):
        """A request in the background; its answer when the thread is joined."""
        class Result:
            def finish(self):
                self.thread.join(60)
                return self.answer

        result = Result()

        def run():
            result.answer = self.server.ask("POST", "/sdapi/v1/txt2img", {**SMALL, **body})

        result.thread = threading.Thread(target=run)
        result.thread.start()
        return result

    def progress(self, query=""):
        return self.get("/sdapi/v1/progress" + query).json

    def test_progress_and_interrupt(self):
        slow = self.start(steps=900, width=128, height=128, sampler_name="Euler", n_iter=2, seed=1)
        seen = self.until(lambda: (p := self.progress("?skip_current_image=true"))["state"]
                          ["sampling_step"] and p)
        self.assertGreater(seen["progress"], 0)
        self.assertLess(seen["progress"], 1)
        self.assertGreater(seen["eta_relative"], 0)
        self.assertEqual(seen["state"]["sampling_steps"], 900)
        self.assertEqual((seen["state"]["job_count"], seen["state"]["job_no"]), (2, 0))
        self.assertIsNone(seen["current_image"])
        preview = self.until(lambda: self.progress()["current_image"])
        self.assertEqual(picture_size(base64.b64decode(preview))[0], "png")
        self.assertEqual(self.post("/sdapi/v1/interrupt").status, 200)
        answer = slow.finish()
        self.assertEqual((answer.status, answer.json["images"]), (200, []))
        idle = self.progress()
        self.assertEqual((idle["progress"], idle["state"]["job"], idle["state"]["job_count"],
                          idle["current_image"]), (0, "", 0, None))

    def test_skip(self):
        slow = self.start(steps=900, width=128, height=128, sampler_name="Euler", seed=2, n_iter=2,
                          batch_size=1)
        self.until(lambda: self.progress("?skip_current_image=true")["state"]["sampling_step"])
        self.post("/sdapi/v1/skip")
        self.until(lambda: self.progress("?skip_current_image=true")["state"]["job_no"] == 1)
        self.post("/sdapi/v1/interrupt")
        self.assertEqual(slow.finish().status, 200)

    def test_options(self):
        options = self.get("/sdapi/v1/options").json
        self.assertTrue(options["sd_model_checkpoint"].startswith("demo"))
        self.assertIsNone(self.post("/sdapi/v1/options", {"sd_model_checkpoint": "demo-xl",
                                                          "whatever": 1}).json)
        self.assertTrue(self.get("/sdapi/v1/options").json["sd_model_checkpoint"]
                        .startswith("demo-xl"))
        info = json.loads(self.post("/sdapi/v1/txt2img", SMALL).json["info"])
        self.assertEqual(info["sd_model_name"], "demo-xl")
        # An override holds for one request, or for good when it says so.
        body = {**SMALL, "override_settings": {"sd_model_checkpoint": "demo"}}
        self.post("/sdapi/v1/txt2img", body)
        self.assertTrue(self.get("/sdapi/v1/options").json["sd_model_checkpoint"]
                        .startswith("demo-xl"))
        self.post("/sdapi/v1/txt2img", {**body, "override_settings_restore_afterwards": False})
        title = self.get("/sdapi/v1/options").json["sd_model_checkpoint"]
        self.assertRegex(title, r"^demo( \[[0-9a-f]{10}\])?$")
        self.post("/sdapi/v1/options", {"sd_model_checkpoint": title})
        self.assertIsNone(self.post("/sdapi/v1/options", {}).json)
        detail = self.post("/sdapi/v1/options", {"sd_model_checkpoint": "nobody"}, 404).json
        self.assertIn("nobody", detail["detail"])

    def test_lists(self):
        names = [s["name"] for s in self.get("/sdapi/v1/samplers").json]
        for name in ("Euler", "Euler a", "DPM++ 2M", "DDIM", "UniPC"):
            self.assertIn(name, names)
        schedulers = {s["name"]: s["label"] for s in self.get("/sdapi/v1/schedulers").json}
        self.assertEqual(schedulers["automatic"], "Automatic")
        self.assertEqual(schedulers["karras"], "Karras")
        for s in schedulers:
            self.post("/sdapi/v1/txt2img", {**SMALL, "sampler_name": "Euler", "scheduler": s})
        self.assertEqual(self.get("/sdapi/v1/upscalers").json[0]["name"], "None")
        self.assertEqual(self.get("/sdapi/v1/loras").json, [])
        self.assertEqual(self.get("/sdapi/v1/latent-upscale-modes").json, [])
        self.assertGreater(self.get("/sdapi/v1/memory").json["ram"]["total"], 0)


class PngInfo(ApiTest):
    def info(self, data, status=200):
        return self.post("/sdapi/v1/png-info", {"image": data}, status).json

    def test_our_pictures(self):
        one = self.draw_one(seed=31, negative_prompt="a, b: c", sampler="euler")
        for query in ("", "?format=jpeg", "?format=webp&width=32"):
            answer = self.info(text(self.get(one["image"]["url"] + query).body))
            self.assertEqual(answer["info"], self.get(one["url"] + "/recipe").json["text"])
            self.assertEqual(answer["items"]["parameters"], answer["info"])
            got = answer["parameters"]
            self.assertEqual((got["Prompt"], got["Negative prompt"], got["Steps"], got["Seed"],
                              got["Sampler"], got["Size-1"], got["Size-2"], got["Model"]),
                             ("a red circle", "a, b: c", "4", "31", "Euler", "64", "64", "demo"))

    def test_others(self):
        empty = self.info("data:image/png;base64," + text(png((1, 2, 3))))
        self.assertEqual(empty, {"info": "", "items": {}, "parameters": {}})
        for bad in ("x", text(b"no picture"), "data:image/png,raw"):
            self.assertEqual(self.info(bad, 422)["detail"][0]["loc"], ["body", "image"])


class Login(ApiTest):
    users = (("anna", "admin", "a long enough password"),)

    def test_basic(self):
        body = self.server.ask("GET", "/sdapi/v1/options")
        self.assertEqual(body.status, 401)
        self.assertIn("detail", body.json)
        basic = {"Authorization": "Basic " + text(b"anna:a long enough password")}
        self.get("/sdapi/v1/options", headers=basic)
        answer = self.post("/sdapi/v1/txt2img", SMALL, headers=basic)
        self.assertEqual(len(answer.json["images"]), 1)
        wrong = {"Authorization": "Basic " + text(b"anna:wrong")}
        self.assertEqual(self.server.ask("GET", "/sdapi/v1/options", headers=wrong).status, 401)


if __name__ == "__main__":
    unittest.main()
