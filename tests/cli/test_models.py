"""`cauldron models` on the tiny models of the parity tests, and `cauldron doctor`."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import unittest

from hub import FakeHub
from program import SOURCE, ProgramTest

TINY = SOURCE / "tests/parity/models"


def files_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class Models(ProgramTest):
    def setUp(self):
        super().setUp()
        self.models = self.folder / "data/models"

    def install(self, name, as_name=None):
        to = self.models / (as_name or name)
        to.parent.mkdir(parents=True, exist_ok=True)
        if (TINY / name).is_dir():
            shutil.copytree(TINY / name, to)
        else:
            shutil.copy(TINY / name, to)
        return to

    def listed(self, *args, **more):
        lines = self.succeeds("models", "list", "--json", *args, **more).stdout.splitlines()
        return {m["name"]: m for m in map(json.loads, lines) if m["place"] == "./data/models"}

    # ---- list and info ----

    def test_list(self):
        self.install("sd1")
        self.install("sdxl", "maker/big")
        self.install("single-sd1.safetensors")
        self.install("single-sd1.config")
        got = self.listed()
        self.assertEqual(sorted(got), ["maker/big", "sd1", "single-sd1"])
        self.assertEqual([got[n]["architecture"] for n in sorted(got)], ["sdxl", "sd1", "sd1"])
        self.assertEqual(got["maker/big"]["dtype"], "f16")
        self.assertRegex(got["sd1"]["digest"], "^[0-9a-f]{64}$")
        table = self.succeeds("models", "list").stdout
        self.assertRegex(table, rf"(?m)^sd1 +sd1 +bf16 +983\.0 kB +{got['sd1']['digest'][:12]}  \./data/models/sd1$")

    def test_info_says_the_same(self):
        self.install("sd1")
        info = json.loads(self.succeeds("models", "info", "sd1", "--json").stdout)
        listed = self.listed()["sd1"]
        for key in ("architecture", "dtype", "digest", "bytes", "parameters", "components", "width"):
            self.assertEqual(info[key], listed[key], key)
        text = self.succeeds("models", "info", "sd1").stdout
        self.assertIn(f"digest        {info['digest']}\n", text)
        by_path = json.loads(self.succeeds("models", "info", TINY / "sd1", "--json").stdout)
        self.assertEqual(by_path["digest"], info["digest"])

    def test_digest_is_over_tensors_not_files(self):
        """Another header (padding, order of metadata) with the same numbers: the same digest."""
        before = json.loads(self.succeeds("models", "info", self.install("sd1"), "--json").stdout)
        path = self.models / "sd1/unet/diffusion_pytorch_model.safetensors"
        data = path.read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = data[8:8 + size] + b" " * 64
        path.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + size:])
        after = json.loads(self.succeeds("models", "info", "sd1", "--json").stdout)
        self.assertEqual(after["digest"], before["digest"])
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        changed = json.loads(self.succeeds("models", "info", "sd1", "--json").stdout)
        self.assertNotEqual(changed["digest"], before["digest"])

    def test_broken_models_are_listed_as_such(self):
        self.install("sd1")
        (self.models / "sd1/unet/diffusion_pytorch_model.safetensors").write_bytes(b"short")
        self.install("sd2-v")
        got = self.listed()
        self.assertIn("diffusion_pytorch_model", got["sd1"]["error"])
        self.assertIsNone(got["sd2-v"]["error"])
        self.assertIn("unusable:", self.succeeds("models", "list").stdout)
        self.fails(1, "models", "info", "sd1", says="diffusion_pytorch_model")

    def test_unknown_names(self):
        self.install("sd1")
        for command in ("info", "verify", "remove"):
            self.fails(1, "models", command, "sd3", says=["no model 'sd3'", "sd1"])
        self.fails(2, "models", "info", says="is missing")
        self.fails(2, "models", "lists", says="did you mean 'models list'?")
        self.fails(2, "models", "frobnicate", says="cauldron models --help")
        self.assertEqual(self.run_program("models").returncode, 2)

    def test_remembered_digests_save_reading(self):
        self.install("sd1")
        digest = self.listed()["sd1"]["digest"]
        cache = self.folder / "data/digests.json"
        self.assertIn(digest, cache.read_text())
        cache.write_text(cache.read_text().replace(digest, "0" * 64))
        self.assertEqual(self.listed()["sd1"]["digest"], "0" * 64)
        path = self.models / "sd1/vae/diffusion_pytorch_model.safetensors"
        os.utime(path, (1, 1))  # older or newer: another state
        os.utime(self.models / "sd1/unet/diffusion_pytorch_model.safetensors", (2, 2))
        os.utime(self.models / "sd1/text_encoder/model.safetensors", (2, 2))
        self.assertEqual(self.listed()["sd1"]["digest"], digest)
        for nonsense in ("", "{", "[]", '{"format": 1, "digests": 3}', '{"format": 2, "digests": {}}'):
            cache.write_text(nonsense)
            self.assertEqual(self.listed()["sd1"]["digest"], digest)

    def test_data_folder_can_be_elsewhere_or_unwritable(self):
        self.install("sd1", "../../elsewhere/sd1")
        got = self.succeeds("models", "list", "--json", env={
            "CAULDRON_MODELS": str(self.folder / "elsewhere"), "CAULDRON_DATA": "/proc/nowhere"})
        self.assertIn('"name":"sd1"', got.stdout)
        self.assertEqual(got.stderr, "")

    # ---- verify ----

    def test_verify_against_what_is_remembered(self):
        path = self.install("sd1") / "unet/diffusion_pytorch_model.safetensors"
        self.assertIn("sd1: ok, digest ", self.succeeds("models", "verify", "sd1").stdout)
        self.assertIn("as remembered", self.succeeds("models", "verify", "sd1").stdout)
        times = path.stat()
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        self.fails(1, "models", "verify", "sd1", says="not what it was")

    def test_verify_against_sums(self):
        folder = self.install("sd1")
        sums = [f"{hashlib.sha256(data).hexdigest()}  sd1/{name}" for name, data in files_of(folder).items()]
        (self.models / "SHA256SUMS").write_text("\n".join([*sums, "0" * 64 + "  other/file"]) + "\n")
        done = self.succeeds("models", "verify", "sd1")
        self.assertIn(f"{len(sums)} files as in SHA256SUMS", done.stdout)
        (folder / "scheduler/scheduler_config.json").write_text("{}")
        self.fails(1, "models", "verify", "sd1", says=["scheduler_config.json", "checksum"])
        (folder / "scheduler/scheduler_config.json").unlink()
        self.fails(1, "models", "verify", "sd1", says="scheduler_config.json")

    def test_verify_refuses_strange_sums(self):
        self.install("sd1")
        for line in ("hello", "0" * 64 + "  ../../etc/passwd", "0" * 64 + "  /etc/passwd", "0" * 63 + "  sd1/x"):
            (self.models / "SHA256SUMS").write_text(line + "\n")
            self.fails(1, "models", "verify", "sd1", says="not a checksum")

    def test_verify_all(self):
        self.install("sd1")
        self.install("sd2-v")
        self.assertGreaterEqual(self.succeeds("models", "verify").stdout.count(": ok"), 2)

    def test_verify_reads_the_blobs_of_the_cache(self):
        with FakeHub() as hub:
            hub.add("maker/tiny", files_of(TINY / "sd1"))
            snapshot = self.succeeds("models", "pull", "maker/tiny", env={"HF_ENDPOINT": hub.url}).stdout.strip()
        done = self.succeeds("models", "verify", "maker/tiny")
        self.assertIn("files as their blobs are named", done.stdout)
        blob = (pathlib.Path(snapshot) / "tokenizer/merges.txt").resolve()
        blob.write_bytes(blob.read_bytes() + b"x y\n")
        self.fails(1, "models", "verify", "maker/tiny", says="merges.txt")

    # ---- add and remove ----

    def test_add_links_and_remove_unlinks(self):
        elsewhere = self.folder / "elsewhere/mine"
        shutil.copytree(TINY / "sd1", elsewhere)
        self.assertEqual(self.succeeds("models", "add", elsewhere).stdout, "mine\n")
        self.assertTrue((self.models / "mine").is_symlink())
        self.assertIn("mine", self.listed())
        self.succeeds("models", "add", "elsewhere/mine", "--name", "maker/other")
        self.assertIn("maker/other", self.listed())
        self.fails(2, "models", "add", elsewhere, says=["there already", "--name"])
        self.succeeds("models", "remove", "mine")
        self.succeeds("models", "remove", "maker/other")
        self.assertEqual(self.listed(), {})
        self.assertEqual(files_of(elsewhere), files_of(TINY / "sd1"))

    def test_add_copies(self):
        done = self.succeeds("models", "add", "--copy", "--name", "copied", TINY / "sd1")
        self.assertEqual(done.stdout, "copied\n")
        self.assertFalse((self.models / "copied").is_symlink())
        self.assertEqual(files_of(self.models / "copied"), files_of(TINY / "sd1"))
        self.succeeds("models", "remove", "copied")
        self.assertFalse((self.models / "copied").exists())

    def test_single_files_come_with_their_configs(self):
        for how in ([], ["--copy"]):
            self.succeeds("models", "add", *how, TINY / "single-sd1.safetensors")
            self.assertTrue((self.models / "single-sd1.config/model_index.json").exists())
            got = self.listed()
            self.assertEqual(list(got), ["single-sd1"])
            self.assertIsNone(got["single-sd1"]["error"])
            self.succeeds("models", "remove", "single-sd1")
            self.assertEqual([p.name for p in self.models.iterdir()], [".added"])

    def test_add_refuses_what_would_not_work(self):
        broken = self.folder / "broken"
        shutil.copytree(TINY / "sd1", broken)
        (broken / "unet/config.json").write_text("{")
        self.fails(1, "models", "add", broken, says="config.json")
        self.fails(1, "models", "add", "nowhere", says="cannot open 'nowhere'")
        (self.folder / "old.ckpt").write_bytes(b"\x80\x02}q\x00.")
        self.fails(1, "models", "add", "old.ckpt", says="ckpt")
        for name in ("../x", "a/b/c", "", ".hidden", "a b"):
            self.fails(2, "models", "add", TINY / "sd1", "--name", name, says="cannot be a model's name")
        self.assertFalse(self.models.exists())

    def test_remove_touches_only_what_was_added(self):
        folder = self.install("sd1")
        self.fails(1, "models", "remove", "sd1", says="by hand")
        self.assertTrue(folder.exists())
        for name in ("..", "../models", "/", ""):
            self.fails(1, "models", "remove", name, says="not a model's name")

    def test_remove_takes_pulled_models(self):
        with FakeHub() as hub:
            self.env["HF_ENDPOINT"] = hub.url
            hub.add("maker/tiny", files_of(TINY / "sd1"))
            self.succeeds("models", "pull", "maker/tiny")
            cache = self.home / ".cache/huggingface/hub/models--maker--tiny"
            info = json.loads(self.succeeds("models", "info", "maker/tiny", "--json").stdout)
            self.assertEqual(info["architecture"], "sd1")
            self.succeeds("models", "remove", "maker/tiny")
            self.assertFalse(cache.exists())
            cache.mkdir(parents=True)  # another program's
            self.succeeds("models", "pull", "maker/tiny")
            self.fails(1, "models", "remove", "maker/tiny", says="other programs")
            self.assertTrue(cache.exists())


class Doctor(ProgramTest):
    def test_a_good_machine(self):
        done = self.succeeds("doctor", env={"CAULDRON_MODELS": str(TINY)})
        for topic in ("cpu", "cores", "memory", "executor", "libraries", "data", "models"):
            self.assertRegex(done.stdout, rf"(?m)^ok +{topic} ")

    def test_what_is_wrong_is_said(self):
        done = self.run_program("doctor", env={"CAULDRON_ISA": "z80", "CAULDRON_MODELS": str(TINY)})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^WRONG +executor +.*z80")
        done = self.run_program("doctor", env={"CAULDRON_DATA": "/etc/passwd/data", "CAULDRON_MODELS": str(TINY)})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^WRONG +data ")

    def test_nothing_is_left_behind(self):
        self.run_program("doctor")
        self.assertEqual([p.name for p in self.folder.iterdir()], ["home"])


if __name__ == "__main__":
    unittest.main()
