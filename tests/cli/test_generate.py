"""`cauldron generate` and `inspect` on a tiny model: outputs, recipes, interruption."""

import json
import signal
import subprocess
import time
import unittest

from pictures import chunks, png, read_png
from program import PROGRAM, SOURCE, ProgramTest

TINY = SOURCE / "tests/parity/models"
SIGNS = {"png": (0, b"\x89PNG"), "jpg": (0, b"\xff\xd8\xff"), "webp": (8, b"WEBP")}


class GenerateTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.env["CAULDRON_MODELS"] = str(TINY)

    def draw(self, *args, model="sd1", prompt="a red circle", steps=2, **more):
        return self.succeeds("generate", prompt, "-m", model, "-t", steps, *args, **more)

    def pixels(self, name):
        return read_png(self.folder / name)

    def files(self):
        return sorted(p.name for p in self.folder.iterdir() if p.name not in ("home", "data"))


class Outputs(GenerateTest):
    def test_the_default_file_names_the_seed(self):
        self.draw("-s", "7")
        self.assertEqual(self.files(), ["cauldron-7.png"])
        self.assertEqual(self.pixels("cauldron-7.png")[:3], (64, 64, 3))

    def test_formats_follow_the_ending(self):
        for ending, (at, sign) in SIGNS.items():
            self.draw("-o", f"x.{ending}")
            data = (self.folder / f"x.{ending}").read_bytes()
            self.assertEqual(data[at:at + len(sign)], sign)
        self.draw("-o", "x.jpeg")

    def test_an_ending_must_be_known(self):
        self.fails(2, "generate", "x", "-m", "sd1", "-o", "x.gif", says=[".png", ".jpg", ".webp"])
        self.assertEqual(self.files(), [])

    def test_into_a_folder(self):
        (self.folder / "out").mkdir()
        self.draw("-o", "out", "-s", "3")
        self.assertEqual([p.name for p in (self.folder / "out").iterdir()], ["cauldron-3.png"])

    def test_json_is_one_object_a_picture(self):
        lines = self.draw("--json", "-c", "2", "-s", "5").stdout.splitlines()
        got = [json.loads(line) for line in lines]
        self.assertEqual([g["seed"] for g in got], ["5", "6"])
        for g in got:
            self.assertEqual((g["width"], g["height"], g["steps"], g["model"]), (64, 64, 2, "sd1"))
            self.assertRegex(g["model_digest"], "^[0-9a-f]{64}$")
            self.assertTrue((self.folder / g["file"]).exists())

    def test_nothing_but_results_on_stdout(self):
        done = self.draw("--json", "--quiet")
        self.assertEqual(done.stderr, "")
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertNotIn("\x1b", self.draw("-o", "y.png").stderr)

    def test_sizes(self):
        self.draw("-W", "72", "-H", "40", "-o", "x.png")
        self.assertEqual(self.pixels("x.png")[:2], (72, 40))

    def test_pictures_carry_their_recipe(self):
        self.draw("-n", "ugly", "-s", "9", "-g", "4.5", "-o", "x.png", prompt="a \u00e9\U0001f600")
        text = {k.split(b"\0")[0] for kind, k in chunks((self.folder / "x.png").read_bytes())
                if kind in (b"tEXt", b"iTXt")}
        self.assertIn(b"parameters", text)
        for ending in SIGNS:
            self.draw("-n", "ugly", "-s", "9", "-g", "4.5", "-o", f"x.{ending}", prompt="a \u00e9\U0001f600")
            shown = self.succeeds("inspect", f"x.{ending}").stdout
            for words in ("a \u00e9\U0001f600", "Negative prompt: ugly", "Seed: 9", "CFG scale: 4.5", "Steps: 2"):
                self.assertIn(words, shown)
            recipe = json.loads(self.succeeds("inspect", "--json", f"x.{ending}").stdout)
            self.assertEqual(recipe["prompt"], "a \u00e9\U0001f600")
            self.assertEqual(recipe["negative_prompt"], "ugly")

    def test_inspect_of_other_pictures(self):
        (self.folder / "plain.png").write_bytes(png(8, 8))
        self.fails(1, "inspect", "plain.png", says="plain.png")
        self.fails(1, "inspect", "nowhere.png", says="nowhere.png")
        self.fails(2, "inspect", says="is missing")

    def test_a_missing_folder_is_found_before_the_drawing(self):
        for args in (("-o", "no/such/x.png"), ("-o", "x.png", "--trace", "no/such/x.safetensors")):
            self.fails(1, "generate", "a red circle", "-m", "sd1", "-t", 2, *args, says="there is no folder 'no/such'")
        self.assertEqual(self.files(), [])


class Sameness(GenerateTest):
    def test_from_a_picture_draws_it_again_byte_for_byte(self):
        for ending in SIGNS:
            self.draw("-s", "11", "-n", "no", "-g", "3", "--sampler", "euler_ancestral", "-W", "72",
                      "-o", f"a.{ending}")
            self.succeeds("generate", "--from", f"a.{ending}", "-o", f"b.{ending}")
            self.assertEqual((self.folder / f"a.{ending}").read_bytes(),
                             (self.folder / f"b.{ending}").read_bytes(), ending)

    def test_from_with_other_options(self):
        self.draw("-s", "11", "-o", "a.png")
        self.succeeds("generate", "--from", "a.png", "-s", "12", "-o", "b.png")
        self.draw("-s", "12", "-o", "c.png")
        self.assertEqual(self.pixels("b.png"), self.pixels("c.png"))
        self.assertNotEqual(self.pixels("a.png"), self.pixels("b.png"))

    def test_from_a_picture_with_other_weights_is_refused(self):
        self.draw("-o", "a.png")
        self.fails(2, "generate", "--from", "a.png", "-m", "sd2-v", "-o", "b.png", says="other weights")

    def test_each_picture_of_several_equals_the_one_drawn_alone(self):
        self.draw("-s", "5", "-c", "3")
        for seed in (5, 6, 7):
            self.draw("-s", seed, "-o", f"alone-{seed}.png")
            self.assertEqual(self.pixels(f"cauldron-{seed}.png"), self.pixels(f"alone-{seed}.png"), seed)

    def test_several_prompts_are_drawn_as_if_alone(self):
        self.succeeds("generate", "a cat", "a dog", "-m", "sd1", "-t", "2", "-o", "x.png", "--json")
        self.assertEqual(len(self.files()), 2)
        self.draw("-o", "alone.png", prompt="a dog")
        self.assertIn(self.pixels("alone.png"), [self.pixels(n) for n in self.files() if n != "alone.png"])

    def test_seeds_are_those_of_torch(self):
        self.draw("-s", "-1", "-o", "a.png")
        self.draw("-s", "18446744073709551615", "-o", "b.png")
        self.assertEqual(self.pixels("a.png"), self.pixels("b.png"))
        self.draw("-s", "-9223372036854775808", "-o", "c.png")
        self.assertNotEqual(self.pixels("a.png"), self.pixels("c.png"))

    def test_threads_change_nothing(self):
        self.draw("--threads", "1", "-o", "a.png")
        self.draw("--threads", "2", "-o", "b.png")
        self.assertEqual(self.pixels("a.png"), self.pixels("b.png"))

    def test_low_memory_and_ref_agree(self):
        self.draw("-o", "a.png")
        for how in (("--memory", "low"), ("--executor", "ref")):
            self.draw(*how, "-o", "b.png")
            a, b = self.pixels("a.png")[3], self.pixels("b.png")[3]
            self.assertLessEqual(max(abs(x - y) for x, y in zip(a, b)), 1, how)

    def test_every_tiny_model_draws(self):
        for path in sorted(TINY.iterdir()):
            if path.suffix == ".config" or path.name == "inpainting":
                continue
            info = json.loads(self.succeeds("models", "info", "--json", path).stdout)
            self.draw("-o", "x.png", model=path)
            self.assertEqual(self.pixels("x.png")[:2], (info["width"], info["height"]), path)

    def test_from_a_picture(self):
        (self.folder / "init.png").write_bytes(png(64, 64))
        (self.folder / "mask.png").write_bytes(png(64, 64, 0, bytes(64 * 32) + b"\xff" * (64 * 32)))
        self.draw("--init", "init.png", "--strength", "0.5", "-o", "a.png", steps=4)
        self.draw("--init", "init.png", "--strength", "0.9", "-o", "b.png", steps=4)
        self.assertNotEqual(self.pixels("a.png"), self.pixels("b.png"))
        self.draw("--init", "init.png", "--mask", "mask.png", "-o", "c.png")
        self.draw("--init", "init.png", "--mask", "mask.png", "-o", "d.png", model="inpainting")
        self.assertEqual(self.pixels("d.png")[:2], (64, 64))

    def test_from_a_picture_that_had_an_init_picture(self):
        (self.folder / "init.png").write_bytes(png(64, 64))
        (self.folder / "other.png").write_bytes(png(64, 64, 0))
        self.draw("--init", "init.png", "-o", "a.png")
        self.fails(2, "generate", "--from", "a.png", says="--init")
        self.fails(2, "generate", "--from", "a.png", "--init", "other.png", says="other.png")
        self.succeeds("generate", "--from", "a.png", "--init", "init.png", "-o", "b.png")
        self.assertEqual(self.pixels("a.png"), self.pixels("b.png"))

    def test_long_prompts_are_cut_with_a_warning(self):
        done = self.draw("-o", "a.png", prompt="cat " * 100 + "zebra")
        self.assertIn("zebra", done.stderr)
        self.assertEqual(self.draw("-q", "-o", "b.png", prompt="cat " * 100 + "zebra").stderr, "")
        self.assertEqual(self.pixels("a.png"), self.pixels("b.png"))


class Interruption(GenerateTest):
    def interrupt(self, number, *args):
        process = subprocess.Popen(
            [PROGRAM, "generate", "x", "-m", "sd1", "-t", "900", "--executor", "ref", *args], cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.0)
        self.assertIsNone(process.poll(), "it ended too early to be interrupted")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 128 + number, err)
        self.assertNotIn("Traceback", err)
        return out

    def test_nothing_is_left_behind(self):
        self.interrupt(signal.SIGINT)
        self.assertEqual(self.files(), [])
        (self.folder / "former.png").write_bytes(b"precious")
        self.interrupt(signal.SIGTERM, "-o", "former.png", "--trace", "t.safetensors")
        self.assertEqual(self.files(), ["former.png"])
        self.assertEqual((self.folder / "former.png").read_bytes(), b"precious")


if __name__ == "__main__":
    unittest.main()
