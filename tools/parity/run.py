"""Draw the parity cases with diffusers and write them to tests/parity/cases.

    python run.py                                 all of the six tiny models
    python run.py --models demo,demo-xl           after the demo models have changed
    python run.py --only sd1-heun --check         compare a fresh run with what is stored

One .safetensors file per case: the case itself in the metadata ("case", JSON), noise, latents after
each step, text embeddings for some, and the picture as pixels [height, width, 3] of 8 bits.
"""

import argparse
import fnmatch
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import cases
from reference import Reference

ROOT = Path(__file__).resolve().parents[2]
CASES = ROOT / "tests" / "parity" / "cases"
TINY = ["sd1", "sd2-v", "sdxl", "inpainting", "single-sd1", "single-xl"]


def find(model):
    for path in (ROOT / "tests/parity/models" / model, ROOT / "tests/parity/models" / f"{model}.safetensors", ROOT / "models" / model):
        if path.exists():
            return path
    raise SystemExit(f"no model {model}")


def draw_images(folder):
    """Pictures to start from: gradients with hard edges; masks with white, black and grey on both sides of the middle."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in [(64, 64), (40, 56), (70, 61)]:
        y, x = np.mgrid[0:height, 0:width]
        picture = np.stack([x * 255 // width, y * 255 // height, (x * y) % 256], axis=-1).astype(np.uint8)
        inside = (x - width / 2) ** 2 + (y - height / 3) ** 2 < (width / 4) ** 2
        picture[inside] = (230, 40, 60)
        picture[height * 2 // 3 :, : width // 3] = (20, 30, 200)
        Image.fromarray(picture).save(folder / f"init-{width}x{height}.png", optimize=True)
        mask = np.where(inside, 255, 0) + np.where((x < width // 4) & (y > height // 2), 128, 0)
        mask = np.where((x > width * 3 // 4) & (y < height // 4), 127, mask).clip(0, 255).astype(np.uint8)
        if width != 70:
            Image.fromarray(mask).save(folder / f"mask-{width}x{height}.png", optimize=True)


def compare(path, tensors):
    """The largest difference between a stored case and a fresh one."""
    stored = load_file(path)
    if stored.keys() != tensors.keys():
        raise SystemExit(f"{path.name}: other tensors: {sorted(stored.keys() ^ tensors.keys())}")
    return max(float(np.abs(stored[k].astype(np.float64) - tensors[k]).max()) for k in stored)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--models", default=",".join(TINY))
    options.add_argument("--only", default="*", help="pattern of case names")
    options.add_argument("--out", type=Path, default=CASES)
    options.add_argument("--check", action="store_true", help="write nothing; compare with the stored cases")
    options = options.parse_args()
    images = CASES / "images"
    if not images.exists():
        draw_images(images)
    options.out.mkdir(parents=True, exist_ok=True)
    reference, models, worst = Reference(images, find), options.models.split(","), 0.0
    wanted = [c for c in cases.cases(models) if fnmatch.fnmatch(c["name"], options.only)]
    names = [c["name"] for c in wanted]
    if len(set(names)) != len(names):
        raise SystemExit(f"names given twice: {sorted(n for n in set(names) if names.count(n) > 1)}")
    if options.only == "*" and not options.check:  # cases that are no longer in the list
        for path in options.out.glob("*.safetensors"):
            with safe_open(path, "np") as f:
                if json.loads(f.metadata()["case"])["model"] in models:
                    path.unlink()
    start, failed = time.time(), 0
    for case in wanted:
        try:
            tensors = reference.draw(case)
        except Exception as problem:
            print(f"{case['name']}: {type(problem).__name__}: {problem}", file=sys.stderr)
            failed += 1
            continue
        path = options.out / f"{case['name']}.safetensors"
        if options.check:
            worst = max(worst, compare(path, tensors))
            continue
        save_file(tensors, path, metadata={"case": json.dumps(case, ensure_ascii=False, sort_keys=True)})
    print(f"{len(wanted)} cases in {time.time() - start:.0f} s" + (f", largest difference {worst:g}" if options.check else ""))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
