"""Hostile and broken models, pictures, prompts and options: one clear line, status 1 or 2, within
seconds, little memory, and no file that was not there before."""

import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import unittest

from pictures import png
from program import PROGRAM, SOURCE, ProgramTest

TINY = SOURCE / "tests/parity/models"
SECONDS = 20
MAX_BYTES = 4 << 30  # of address space: a runaway allocation fails instead of starving the machine


def safetensors(header, data=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


class BadInput(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = self.folder / "m"

    def refuses(self, *args, says=(), status=(1, 2), prompt=("x",), output=("-o", "out.png")):
        """As fails(), for generate, with limits, and nothing may be left behind."""
        before = self.listing()
        command = [PROGRAM, "generate", *prompt, "-t", "2", *output, *map(str, args)]
        done = subprocess.run(command, cwd=self.folder, env=self.env, capture_output=True, timeout=SECONDS,
                              preexec_fn=self.limit, check=False)
        err = done.stderr.decode()
        self.assertIn(done.returncode, status, f"{args}: {done.stdout!r} {err}")
        lines = err.splitlines()
        self.assertEqual(len(lines), 1, f"{args}: want one line, got {err!r}")
        self.assertTrue(lines[0].startswith("cauldron: "), err)
        self.assertFalse(any(ord(c) < 32 for c in lines[0]), err)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, lines[0], args)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(self.listing(), before, args)

    def limit(self):
        if "ASAN_OPTIONS" not in os.environ:
            resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))

    def listing(self):
        return sorted(str(p) for p in self.folder.rglob("*") if "data/" not in str(p) and p.name != "data")

    def fresh(self, name="sd1"):
        shutil.rmtree(self.model, ignore_errors=True)
        shutil.copytree(TINY / name, self.model)
        return self.model

    # ---- models ----

    def test_weight_files(self):
        good = (TINY / "sd1/unet/diffusion_pytorch_model.safetensors").read_bytes()
        size = struct.unpack("<Q", good[:8])[0]
        header = json.loads(good[8:8 + size])
        first = next(k for k in header if k != "__metadata__")

        def with_entry(**change):
            return safetensors({**header, first: {**header[first], **change}}, good[8 + size:])

        begin, end = header[first]["data_offsets"]
        cases = {
            "empty": b"", "short": b"abc", "eight zeros": bytes(8),
            "header beyond the end": safetensors(b"{}", size=1 << 40),
            "header size wraps": safetensors(b"{}", size=(1 << 64) - 1),
            "not json": safetensors(b"hello"), "not an object": safetensors(b"[]"),
            "deep json": safetensors(b"[" * 100000), "truncated": good[:len(good) // 2], "one byte short": good[:-1],
            "half a header": good[:8 + size // 2],
            "unknown dtype": with_entry(dtype="F7"), "dtype is a number": with_entry(dtype=3),
            "shape is text": with_entry(shape="big"), "negative shape": with_entry(shape=[-1, 4]),
            "huge shape": with_entry(shape=[1 << 62, 1 << 62]), "fractional shape": with_entry(shape=[1.5]),
            "another shape": with_entry(shape=[1]), "many dimensions": with_entry(shape=[1] * 100),
            "offsets reversed": with_entry(data_offsets=[end, begin]),
            "offsets beyond": with_entry(data_offsets=[begin + (1 << 40), end + (1 << 40)]),
            "offsets negative": with_entry(data_offsets=[-8, end - begin - 8]),
            "offsets missing": with_entry(data_offsets=[]),
            "overlap": with_entry(data_offsets=[begin + 2, end + 2]),
            "tensor missing": safetensors({k: v for k, v in header.items() if k != first}, good[8 + size:]),
            "random": os.urandom(5000), "a pickle": b"\x80\x02}q\x00X\x05\x00\x00\x00helloq\x01K\x01s.",
        }
        for name, data in cases.items():
            with self.subTest(name):
                path = self.fresh() / "unet/diffusion_pytorch_model.safetensors"
                path.write_bytes(data)
                self.refuses("-m", self.model, says="diffusion_pytorch_model")
        path.write_bytes(safetensors({}))
        self.refuses("-m", self.model, says=["tensor", "is missing"])

    def test_single_files(self):
        good = (TINY / "single-sd1.safetensors").read_bytes()
        for data in (b"", good[:1000], good[:-100], safetensors({}),
                     safetensors({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))):
            (self.folder / "one.safetensors").write_bytes(data)
            self.refuses("-m", "one.safetensors", says="one.safetensors")

    def test_pickles_are_refused_with_advice(self):
        for name in ("old.ckpt", "old.pt", "old.bin"):
            (self.folder / name).write_bytes(b"\x80\x02}q\x00.")
            self.refuses("-m", name, says=[name, "safetensors"])

    def test_configs(self):
        cases = [("unet/config.json", b"{"), ("unet/config.json", b"[]"), ("unet/config.json", b"\xff\xfe"),
                 ("unet/config.json", b"[" * 200000), ("model_index.json", b""),
                 ("model_index.json", b'{"_class_name": "FluxPipeline"}'),
                 ("scheduler/scheduler_config.json", b'{"_class_name": "Nonsense"}'),
                 ("tokenizer/vocab.json", b"{}"), ("tokenizer/vocab.json", b'{"a": -1}'),
                 ("tokenizer/vocab.json", b'{"a": 99999999999}'), ("vae/config.json", b"{}")]
        for name, data in cases:
            with self.subTest(f"{name} {data[:20]}"):
                (self.fresh() / name).write_bytes(data)
                self.refuses("-m", self.model)

    def test_configs_with_impossible_numbers(self):
        cases = [("unet", "in_channels", 1 << 40), ("unet", "in_channels", -4), ("unet", "norm_num_groups", 0),
                 ("unet", "norm_num_groups", 7), ("unet", "block_out_channels", []),
                 ("unet", "block_out_channels", [32] * 1000), ("unet", "block_out_channels", "x"),
                 ("unet", "layers_per_block", 1 << 30), ("unet", "attention_head_dim", 0),
                 ("unet", "cross_attention_dim", 1e300), ("unet", "act_fn", "tanh"),
                 ("unet", "unheard_of", True), ("vae", "latent_channels", 0), ("vae", "scaling_factor", "big"),
                 ("text_encoder", "num_attention_heads", 0), ("text_encoder", "hidden_size", 3),
                 ("text_encoder", "vocab_size", 1), ("text_encoder", "num_hidden_layers", 1 << 20),
                 ("scheduler", "num_train_timesteps", 0), ("scheduler", "beta_end", "x")]
        for part, key, value in cases:
            with self.subTest(f"{part} {key} {value}"):
                name = "scheduler_config.json" if part == "scheduler" else "config.json"
                path = self.fresh() / part / name
                path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
                self.refuses("-m", self.model)

    def test_missing_parts_are_named(self):
        for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler"):
            shutil.rmtree(self.fresh() / part)
            self.refuses("-m", self.model, says=part)
        for file in ("unet/config.json", "unet/diffusion_pytorch_model.safetensors", "tokenizer/vocab.json",
                     "tokenizer/merges.txt", "text_encoder/model.safetensors"):
            (self.fresh() / file).unlink()
            self.refuses("-m", self.model, says=file.split("/")[0])

    def test_things_that_are_no_models(self):
        (self.folder / "empty").mkdir()
        os.mkfifo(self.folder / "pipe.safetensors")
        for path in ("empty", "/dev/zero", "pipe.safetensors", "nowhere", "", ".", "home"):
            self.refuses("-m", path)

    # ---- pictures ----

    def test_init_pictures(self):
        good = png(64, 64)
        cases = {"empty": b"", "text": b"hello", "truncated": good[:60], "signature": good[:8],
                 "bomb": png(64, 64, claim=(100000, 100000)), "zero": png(64, 64, claim=(0, 64)),
                 "more rows than data": png(64, 64, claim=(64, 200)), "jpeg": b"\xff\xd8\xff\xe0" + bytes(50),
                 "webp": b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(20), "gif": b"GIF89a" + bytes(20),
                 "wrong sum": good[:40] + b"\0" + good[41:]}
        for name, data in cases.items():
            with self.subTest(name):
                (self.folder / "init.png").write_bytes(data)
                self.refuses("-m", TINY / "sd1", "--init", "init.png", says="init.png")
        self.refuses("-m", TINY / "sd1", "--init", "nowhere.png", says="nowhere.png")
        self.refuses("-m", TINY / "sd1", "--init", "/dev/zero", says="/dev/zero")

    def test_masks_need_a_picture(self):
        (self.folder / "mask.png").write_bytes(png(64, 64, 0))
        self.refuses("-m", TINY / "sd1", "--mask", "mask.png", says="--init")

    def test_from_files_without_a_recipe(self):
        for data in (b"", png(8, 8), b"\xff\xd8\xff\xe0" + bytes(50)):
            (self.folder / "from.png").write_bytes(data)
            self.refuses("--from", "from.png", prompt=(), says="from.png")

    # ---- prompts and options ----

    def test_prompts(self):
        self.refuses("-m", TINY / "sd1", prompt=(), says="prompt")
        for text in (b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"):
            self.refuses("-m", TINY / "sd1", prompt=(text,), says="UTF-8")
            self.refuses("-m", TINY / "sd1", "-n", os.fsdecode(text), says="UTF-8")

    def test_options(self):
        sd1 = ("-m", TINY / "sd1")
        cases = [(("-W", "63"), ["56", "64"]), (("-H", "-8"), "-H"), (("-W", "1000000"), "-W"), (("-t", "0"), "-t"),
                 (("-t", "5000"), "steps"), (("-g", "nan"), "-g"), (("-s", "abc"), "-s"),
                 (("-s", "18446744073709551616"), "-s"), (("-c", "0"), "-c"), (("--sampler", "eular"), "eular"),
                 (("--schedule", "kerras"), "kerras"), (("--spacing", "x"), "leading"), (("--rng", "x"), "cpu"),
                 (("--eta", "-1"), "--eta"), (("--clip-skip", "99"), "clip"), (("--strength", "2"), "--strength"),
                 (("--dtype", "f8"), "f32"), (("--device", "tpu"), "tpu"),                  (("--threads", "-1"), "--threads"), (("--memory", "x"), "low"), (("--stpes", "3"), "--steps"),
                 (("--seed",), "--seed"), (("--json=3",), "--json")]
        for args, says in cases:
            with self.subTest(" ".join(args)):
                self.refuses(*sd1, *args, says=says, status=(2,))
        self.refuses(*sd1, "--executor", "x", says="ref")

    # ---- outputs ----

    def test_outputs_that_cannot_be_written(self):
        (self.folder / "a-file").write_bytes(b"")
        for output in ("no/folder/x.png", "a-file/x.png", "/proc/x.png", "x.bmp", ""):
            self.refuses("-m", TINY / "sd1", output=("-o", output))
        self.succeeds("generate", "x", "-m", TINY / "sd1", "-t", "1", "-o", "out.png")
        done = self.run_program("generate", "x", "-m", TINY / "sd1", "-t", "1", "-o", "out.png",
                                "--trace", "no/folder/t.safetensors")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr.splitlines()[-1], "^cauldron: .*t.safetensors")

    def test_a_full_disk_leaves_no_half_file(self):
        """A limit on the size of files stands in for a full disk."""
        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        done = subprocess.run([PROGRAM, "generate", "x", "-m", str(TINY / "sd1"), "-t", "1", "-o", "out.png"],
                              cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=SECONDS,
                              preexec_fn=small, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("out.png", done.stderr)
        self.assertEqual([p for p in self.listing() if "out" in p], [])


if __name__ == "__main__":
    unittest.main()
