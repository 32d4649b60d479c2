"""Compare `cauldron generate --trace` with diffusers on a model of yours.

    python compare_cli.py path/to/model "a red circle" --seed 7 --steps 4 --cfg 5 --sampler euler -- --threads 2

Options are those of `cauldron generate`; what follows -- is handed to it alone. Both draw in float32. Prints the
relative error of every tensor and the largest difference of a pixel; exit status 1 when a bound is exceeded
(text 1e-4, latents 1e-3, pixels one level).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from reference import Reference

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = {"text": 1e-4, "latent": 1e-3, "noise": 1e-5}


def parse():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("model", type=Path)
    options.add_argument("prompt")
    options.add_argument("--cauldron", default=ROOT / "build" / "cauldron")
    options.add_argument("--seed", default="0")
    options.add_argument("--steps", type=int, default=4)
    options.add_argument("--cfg", type=float, default=7.5)
    for name in ("width", "height", "clip-skip"):
        options.add_argument("--" + name, type=int)
    for name in ("eta", "strength", "guidance-rescale"):
        options.add_argument("--" + name, type=float)
    for name in ("negative", "sampler", "schedule", "spacing", "rng", "init", "mask"):
        options.add_argument("--" + name)
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    chosen = options.parse_args(sys.argv[1:split])
    if chosen.init and chosen.strength is None:
        chosen.strength = 0.8
    return chosen, sys.argv[split + 1:]


def draw_ours(chosen, case, rest, folder):
    words = [str(chosen.cauldron), "generate", "-m", str(chosen.model), "--dtype", "f32", "--trace", f"{folder}/trace.safetensors",
             "-o", f"{folder}/out.png", *rest]
    for key, value in case.items():
        if key not in ("model", "prompt", "text"):
            words += [f"--{key.replace('_', '-')}", str(value)]
    subprocess.run([*words, "--", chosen.prompt], check=True)
    return load_file(f"{folder}/trace.safetensors")


def main():
    chosen, rest = parse()
    case = {k: v for k, v in vars(chosen).items() if v is not None and k != "cauldron"} | {"model": "it", "text": True}
    for key in ("init", "mask"):
        if key in case:
            case[key] = str(Path(case[key]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        ours = draw_ours(chosen, case, rest, folder)
    theirs = Reference("/", lambda _: chosen.model).draw(case)
    failed = False
    for name in sorted(k for k in theirs if k.split(".")[0] in BOUNDS):
        want, got = theirs[name].astype(np.float64), ours.get(name)
        if got is None or got.shape != want.shape:
            print(f"{name:20} missing, or of another shape")
            failed = True
            continue
        error = np.linalg.norm(got - want) / (np.linalg.norm(want) or 1)
        failed |= not error <= BOUNDS[name.split(".")[0]]
        print(f"{name:20} {error:.2e}")
    pixels = np.round(ours["image"].transpose(1, 2, 0) * 255).astype(int)
    worst = np.abs(pixels - theirs["pixels"]).max()
    print(f"{'pixels':20} at most {worst} of 255")
    sys.exit(1 if failed or worst > 1 else 0)


if __name__ == "__main__":
    main()
