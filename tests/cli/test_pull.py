"""`cauldron models pull` against a hub that misbehaves in every way it can."""

import json
import os
import pty
import shutil
import signal
import subprocess
import time
import unittest

from hub import FakeHub, git_sha1, sha256
from program import PROGRAM, ProgramTest

NAME = "maker/tiny"
BIG = bytes(range(256)) * 2000  # 512,000 bytes


def parts(**more):
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"],
             "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
             "tokenizer": ["transformers", "CLIPTokenizer"], "scheduler": ["diffusers", "X"],
             "safety_checker": ["stable_diffusion", "S"], "image_encoder": [None, None]}
    files = {
        "model_index.json": json.dumps(index).encode(),
        "unet/config.json": b'{"a": 1}',
        "unet/diffusion_pytorch_model.safetensors": BIG,
        "vae/config.json": b'{"b": 2}',
        "vae/diffusion_pytorch_model.safetensors": b"vae" * 100,
        "text_encoder/config.json": b"{}",
        "text_encoder/model.safetensors": b"text" * 100,
        "tokenizer/vocab.json": b"{}",
        "tokenizer/merges.txt": b"#version: 0.2\n",
        "tokenizer/special_tokens_map.json": b"{}",
        "scheduler/scheduler_config.json": b"{}",
        "safety_checker/config.json": b"{}",
    }
    return {**files, **more}


EXTRA = {
    "README.md": b"hello", "v1-5-pruned.safetensors": b"x" * 1000, "v1-5.ckpt": b"pickle",
    "unet/diffusion_pytorch_model.bin": b"pickle", "unet/diffusion_pytorch_model.fp16.safetensors": b"half",
    "unet/diffusion_pytorch_model.non_ema.safetensors": b"non-ema", "unet/model.onnx": b"onnx",
    "safety_checker/model.safetensors": b"s" * 100, "image_encoder/config.json": b"{}",
    "vae/deeper/config.json": b"{}",
}


class Pull(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = FakeHub()
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.faults = self.server.faults
        self.env["HF_ENDPOINT"] = self.server.url
        self.cache = self.home / ".cache/huggingface/hub"
        self.folder_of_model = self.cache / "models--maker--tiny"

    def serve(self, files=None, **more):
        self.files = parts() if files is None else files
        self.commit = self.server.add(NAME, self.files, **more)

    def pull(self, *args, **more):
        return self.succeeds("models", "pull", *(args or [NAME]), **more)

    def refuses(self, *words, status=1, **more):
        done = self.fails(status, "models", "pull", NAME, says=words, **more)
        self.assertEqual(done.stdout, "")

    def snapshot(self):
        return self.folder_of_model / "snapshots" / self.commit

    def pulled(self):
        root = self.snapshot()
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def leftovers(self):
        return sorted(p.name for p in (self.folder_of_model / "blobs").glob("*.incomplete"))

    def assert_no_model(self):
        self.assertFalse((self.snapshot() / "model_index.json").exists())

    # ---- what a pull does ----

    def test_layout_is_that_of_huggingface_hub(self):
        self.serve({**parts(), **EXTRA})
        done = self.pull()
        self.assertEqual(done.stdout.strip(), str(self.snapshot()))
        self.assertIn("12 files", done.stderr)
        self.assertEqual(self.pulled(), parts())
        self.assertEqual((self.folder_of_model / "refs/main").read_text(), self.commit)
        big = self.snapshot() / "unet/diffusion_pytorch_model.safetensors"
        self.assertEqual(os.readlink(big), f"../../../blobs/{sha256(BIG)}")
        index = self.snapshot() / "model_index.json"
        self.assertEqual(os.readlink(index),
                         f"../../blobs/{git_sha1(self.files['model_index.json'])}")
        self.assertEqual(self.leftovers(), [])

    def test_a_second_pull_fetches_nothing(self):
        self.serve()
        self.pull()
        before = len(self.server.seen("GET", "config.json")) + len(self.server.seen("GET", ".safetensors"))
        self.assertIn(" 0 of them new", self.pull().stderr)
        after = len(self.server.seen("GET", "config.json")) + len(self.server.seen("GET", ".safetensors"))
        self.assertEqual(before, after)

    def test_variant_is_taken_where_there_is_one(self):
        self.serve({**parts(), **EXTRA})
        self.pull("--variant", "fp16", NAME)
        got = self.pulled()
        self.assertIn("unet/diffusion_pytorch_model.fp16.safetensors", got)
        self.assertNotIn("unet/diffusion_pytorch_model.safetensors", got)
        self.assertIn("vae/diffusion_pytorch_model.safetensors", got)

    def test_the_only_variant_is_taken_unasked(self):
        files = parts()
        files["unet/diffusion_pytorch_model.fp16.safetensors"] = files.pop("unet/diffusion_pytorch_model.safetensors")
        self.serve(files)
        self.pull()
        self.assertEqual(self.pulled(), files)
        files["unet/diffusion_pytorch_model.bf16.safetensors"] = b"another"
        self.serve(files)
        self.refuses("unet", "--variant")

    def test_shards_come_with_their_index(self):
        files = parts()
        files["unet/diffusion_pytorch_model-00001-of-00002.safetensors"] = files.pop("unet/diffusion_pytorch_model.safetensors")
        files["unet/diffusion_pytorch_model-00002-of-00002.safetensors"] = b"second"
        files["unet/diffusion_pytorch_model.safetensors.index.json"] = b"{}"
        self.serve({**files, "unet/diffusion_pytorch_model.fp16-00001-of-00001.safetensors": b"half",
                    "unet/diffusion_pytorch_model.safetensors.index.fp16.json": b"{}"})
        self.pull()
        self.assertEqual(self.pulled(), files)

    def test_revision_can_be_a_commit(self):
        self.serve()
        self.pull("--revision", self.commit, NAME)
        self.assertEqual(self.pulled(), parts())
        self.assertFalse((self.folder_of_model / "refs").exists())
        self.fails(1, "models", "pull", NAME, "--revision", "nosuch", says="404")

    def test_cache_folder_can_be_moved(self):
        self.serve()
        for name, value, where in (("HF_HOME", "a", "a/hub"), ("HF_HUB_CACHE", "b", "b"),
                                   ("XDG_CACHE_HOME", "c", "c/huggingface/hub")):
            self.pull(env={name: str(self.folder / value)})
            self.assertTrue((self.folder / where / "models--maker--tiny/refs/main").exists(), name)

    def test_progress_is_for_terminals(self):
        self.serve()
        self.assertEqual(self.pull().stderr.count("\n"), 1)
        shutil.rmtree(self.cache)
        ours, theirs = pty.openpty()
        process = subprocess.Popen([PROGRAM, "models", "pull", NAME], cwd=self.folder, stderr=theirs,
                                   env={**self.env, "TERM": "xterm"}, stdout=subprocess.DEVNULL)
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        self.assertEqual(process.wait(timeout=20), 0)
        self.assertRegex(shown, rb"\r[0-9.]+ kB of 513 kB \[=+>? *\] [0-9.]+ [kM]B/s")
        self.assertIn(b"\r\x1b[K", shown)

    # ---- broken connections ----

    def test_a_cut_connection_is_resumed(self):
        self.serve()
        self.faults.cut["unet/diffusion_pytorch_model.safetensors"] = [100_000, 50_000]
        self.pull()
        self.assertEqual(self.pulled(), parts())
        ranges = [r.headers.get("range") for r in self.server.seen("GET", "/unet/diffusion")
                  if r.server == "content"]
        self.assertEqual(ranges, [None, "bytes=100000-", "bytes=150000-"])

    def test_a_small_file_is_resumed_too(self):
        self.serve()
        self.faults.cut["unet/config.json"] = [3]
        self.pull()
        self.assertEqual(self.pulled(), parts())

    def test_a_later_pull_goes_on_where_the_first_gave_up(self):
        self.serve()
        self.faults.cut["unet/diffusion_pytorch_model.safetensors"] = [200_000, 0, 0, 0, 0, 0, 0]
        self.refuses("unet/diffusion_pytorch_model.safetensors")
        self.assert_no_model()
        self.assertEqual(self.leftovers(), [sha256(BIG) + ".incomplete"])
        self.faults.cut.clear()
        self.pull()
        self.assertEqual(self.pulled(), parts())
        last = [r for r in self.server.seen("GET", "/unet/diffusion") if r.server == "content"][-1]
        self.assertEqual(last.headers.get("range"), "bytes=200000-")

    def test_a_server_without_ranges_starts_again(self):
        self.serve()
        self.faults.no_ranges = True
        self.faults.cut["unet/diffusion_pytorch_model.safetensors"] = [100_000]
        self.pull()
        self.assertEqual(self.pulled(), parts())

    def test_a_server_that_resumes_elsewhere_is_refused(self):
        self.serve()
        self.faults.wrong_range = True
        self.faults.cut["unet/diffusion_pytorch_model.safetensors"] = [100_000]
        self.refuses("asked for the bytes from 100000 on")
        self.assert_no_model()

    def test_an_incomplete_file_that_is_too_long_starts_again(self):
        self.serve()
        blobs = self.folder_of_model / "blobs"
        blobs.mkdir(parents=True)
        (blobs / (sha256(BIG) + ".incomplete")).write_bytes(BIG + b"more")
        self.pull()
        self.assertEqual(self.pulled(), parts())

    def test_busy_servers_are_asked_again(self):
        self.serve()
        self.faults.status["/api/models/"] = [503]
        self.faults.status["/maker/tiny/resolve"] = [429]
        self.faults.status["/maker/tiny/vae"] = [500]
        self.pull()
        self.assertEqual(self.pulled(), parts())

    def test_nobody_at_the_other_end(self):
        self.refuses("127.0.0.1:9", env={"HF_ENDPOINT": "http://127.0.0.1:9"})

    # ---- wrong answers ----

    def test_a_wrong_checksum_is_thrown_away(self):
        for file in ("unet/diffusion_pytorch_model.safetensors", "vae/config.json"):
            self.serve()
            self.faults.corrupt = {file}
            self.refuses(file, "checksum")
            self.assert_no_model()
            self.assertEqual(self.leftovers(), [])
            self.faults.corrupt = set()
            self.pull()
            self.assertEqual(self.pulled(), parts())
            shutil.rmtree(self.folder_of_model)

    def test_more_bytes_than_announced(self):
        self.serve()
        self.faults.endless = {"unet/diffusion_pytorch_model.safetensors"}
        self.refuses("more than the 512000 bytes")
        self.assert_no_model()

    def test_missing_models_and_tokens(self):
        self.refuses("404", "no such model")
        self.serve()
        self.server.token = "hf_secret"
        self.refuses("401", "HF_TOKEN")
        self.refuses("401", "HF_TOKEN", env={"HF_TOKEN": "hf_wrong"})
        self.pull(env={"HF_TOKEN": "hf_secret"})
        (self.folder / "token").write_text("hf_secret\n")
        self.pull(env={"HF_TOKEN_FILE": str(self.folder / "token")})

    def test_not_a_pipeline(self):
        self.serve({"config.json": b"{}", "model.safetensors": b"x"})
        self.refuses("no model_index.json")
        self.serve(parts(**{"model_index.json": b"[1, 2"}))
        self.refuses("model_index.json")
        files = parts()
        del files["vae/diffusion_pytorch_model.safetensors"]
        self.serve(files)
        self.refuses("no safetensors for 'vae'")

    def test_nonsense_listings(self):
        for body in ("", "not json", "[]", "{}", '{"sha": "main", "siblings": []}',
                     '{"sha": "%s", "siblings": 3}' % ("0" * 40),
                     '{"sha": "%s", "siblings": [{"rfilename": 3}]}' % ("0" * 40),
                     '{"sha": "../../../../x", "siblings": []}'):
            self.serve()
            self.faults.listing = body
            self.refuses("maker/tiny")

    def test_hostile_names_are_refused(self):
        for name in ("../../../.bashrc", "/etc/passwd", "unet/../../x", "a//b", "unet/.", "..",
                     "unet\\..\\x", "a\nb", "", "x" * 300, "a/" * 700 + "b"):
            self.serve(listed=[*parts(), name])
            self.refuses("would leave its folder")
            self.assertFalse(self.cache.exists(), name)

    def test_hostile_etags_are_refused(self):
        self.serve()
        for etag in ("../../x", "a/b", ".hidden", "x" * 200, "%2e%2e"):
            self.faults.etag = {"unet/diffusion_pytorch_model.safetensors": etag}
            self.refuses("ETag")
            self.assert_no_model()

    def test_strange_names_of_models(self):
        for name in ("..", "a/b/c", "/a", "a/", "a--b", "a/..", "-x", "a b", "maker/tiny?x=1", ""):
            self.fails(2, "models", "pull", "--", name, says="is not a model's name")
        self.serve()
        self.fails(2, "models", "pull", NAME, "--revision", "../x", says="is not a revision")

    def test_hosts_that_are_not_listed(self):
        self.serve()
        self.env["CAULDRON_ALLOW_HOSTS"] = "huggingface.co"
        self.refuses("127.0.0.1", "not allowed", "CAULDRON_ALLOW_HOSTS")
        self.assertEqual(self.server.requests, [])
        # Where the hub sends it on to must be listed, too.
        self.env["CAULDRON_ALLOW_HOSTS"] = self.server.url.removeprefix("http://")
        port = self.server.content_url.rsplit(":", 1)[1]
        self.refuses("127.0.0.1", port, "CAULDRON_ALLOW_HOSTS")
        self.assert_no_model()
        self.assertNotIn("content", {request.server for request in self.server.requests})
        self.env["CAULDRON_ALLOW_HOSTS"] = "127.0.0.0/8"
        self.pull()
        self.assertEqual(self.pulled(), parts())
        self.env["CAULDRON_ALLOW_HOSTS"] = "no/such/entry"
        self.refuses("CAULDRON_ALLOW_HOSTS", "no/such/entry", status=2)

    def test_redirects_are_watched(self):
        self.serve()
        self.faults.redirect = {"unet/config.json": f"{self.server.url}/maker/tiny/resolve/main/unet/config.json"}
        self.refuses("redirects more than 5 times")
        self.faults.redirect = {"unet/config.json": "file:///etc/passwd"}
        self.refuses("unet/config.json")
        self.assert_no_model()

    # ---- secrets ----

    def test_the_token_stays_with_the_hub(self):
        self.serve()
        self.server.token = "hf_secret"
        self.faults.cut["unet/diffusion_pytorch_model.safetensors"] = [1000]
        done = self.pull(env={"HF_TOKEN": "hf_secret"})
        with self.server.lock:
            for r in self.server.requests:
                want = "Bearer hf_secret" if r.server == "hub" else None
                self.assertEqual(r.headers.get("authorization"), want, r)
        self.assertTrue(any(r.server == "content" for r in self.server.requests))
        self.assertNotIn("hf_secret", done.stdout + done.stderr)

    def test_settings_are_checked(self):
        self.serve()
        self.refuses("HF_TOKEN", status=2, env={"HF_TOKEN": "a\r\nX: y"})
        self.refuses("HF_TOKEN_FILE", status=2, env={"HF_TOKEN_FILE": "missing"})
        self.refuses("HF_ENDPOINT", status=2, env={"HF_ENDPOINT": "ftp://x"})
        self.refuses("HF_HUB_OFFLINE", status=2, env={"HF_HUB_OFFLINE": "1"})

    # ---- interruption ----

    def start_slow_pull(self):
        self.faults.delay = 0.05
        process = subprocess.Popen([PROGRAM, "models", "pull", NAME], cwd=self.folder, env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        blob = self.folder_of_model / "blobs" / (sha256(BIG) + ".incomplete")
        deadline = time.monotonic() + 30
        while not (blob.exists() and blob.stat().st_size):
            self.assertLess(time.monotonic(), deadline, "the download never began")
            time.sleep(0.02)
        return process

    def test_interrupted_and_continued(self):
        self.serve()
        process = self.start_slow_pull()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(err, "cauldron: interrupted; the same command goes on where this one stopped\n")
        self.assertEqual(out, "")
        self.assert_no_model()
        self.faults.delay = 0
        self.pull()
        self.assertEqual(self.pulled(), parts())
        self.assertTrue([r for r in self.server.seen("GET", "/unet/diffusion")
                         if r.headers.get("range")])

    def test_two_pulls_at_once_do_not_mix(self):
        self.serve()
        process = self.start_slow_pull()
        self.refuses("another process")
        process.kill()
        process.communicate()
        self.faults.delay = 0
        self.pull()
        self.assertEqual(self.pulled(), parts())


if __name__ == "__main__":
    unittest.main()
