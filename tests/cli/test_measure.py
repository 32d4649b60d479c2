"""`cauldron bench` and `cauldron debug compare`: that they run and say what they promise, not how fast."""

import json
import unittest

from program import SOURCE, ProgramTest

TINY = SOURCE / "tests/parity/models"


class Measure(ProgramTest):
    def test_bench_as_json(self):
        done = self.succeeds("bench", "-m", TINY / "sd1", "--runs", "1", "--json")
        self.assertIsInstance(json.loads(done.stdout), dict)

    def test_bench_per_operation(self):
        text = self.succeeds("bench", "-m", TINY / "sd1", "--runs", "1", "--ops").stdout
        for word in ("conv", "linear", "attention"):
            self.assertIn(word, text)

    def test_executors_agree_operation_by_operation(self):
        for network in ("text", "unet", "decoder", "encoder"):
            self.succeeds("debug", "compare", "-m", TINY / "sd1", "--network", network)

    def test_usage(self):
        self.fails(1, "bench", "-m", "nowhere", says="nowhere")
        self.fails(2, "bench", "--runs", "0", says="--runs")
        self.fails(2, "debug", "compare", "--network", "x", says="unet")


if __name__ == "__main__":
    unittest.main()
