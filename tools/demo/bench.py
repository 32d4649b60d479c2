"""Prompt-following on the 200 held-out prompts, judged by the oracle.

    python bench.py --cauldron build/cauldron --model models/demo        # our engine draws
    python bench.py --pictures out/                                      # 000.png, 001.png, ... drawn before
    python bench.py --diffusers models/demo                      # diffusers draws
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import oracle
from world import Scene

PROMPTS = Path(__file__).parent / "prompts.json"


def draw_with_cauldron(rows, args, folder):
    for i, row in enumerate(rows):
        command = [args.cauldron, "generate", "-m", args.model, "-s", str(args.seed + i), "-t", str(args.steps), "-g", str(args.cfg),
                   "-o", str(folder / f"{i:03}.png"), row["prompt"]]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(command)}: {done.stderr.strip()}")


def draw_with_diffusers(rows, args, folder):
    import torch
    from diffusers import DiffusionPipeline
    pipe = DiffusionPipeline.from_pretrained(args.diffusers, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for i in range(0, len(rows), 10):
        part = rows[i:i + 10]
        noise = [torch.Generator().manual_seed(args.seed + i + k) for k in range(len(part))]
        pictures = pipe([r["prompt"] for r in part], num_inference_steps=args.steps, guidance_scale=args.cfg, generator=noise,
                        height=128, width=128).images
        for k, picture in enumerate(pictures):
            picture.save(folder / f"{i + k:03}.png")


def judge_folder(rows, folder):
    marks = []
    for i, row in enumerate(rows):
        picture = np.asarray(Image.open(folder / f"{i:03}.png").convert("RGB"))
        marks.append(oracle.judge(oracle.look(picture), Scene.from_json(row["scene"])))
    return marks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cauldron", help="path of the program")
    parser.add_argument("--model", default="models/demo")
    parser.add_argument("--diffusers", help="model folder to draw with diffusers")
    parser.add_argument("--pictures", help="folder of pictures 000.png ... in the order of prompts.json")
    parser.add_argument("--keep", help="folder to keep the drawn pictures in")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cfg", type=float, default=3)
    parser.add_argument("--seed", type=int, default=1000, help="prompt i is drawn with seed + i")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--wrong", action="store_true", help="list the prompts that were not all right")
    args = parser.parse_args()
    rows = json.loads(PROMPTS.read_text())[:args.count]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.pictures or args.keep or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if args.cauldron:
            draw_with_cauldron(rows, args, folder)
        elif args.diffusers:
            draw_with_diffusers(rows, args, folder)
        elif not args.pictures:
            parser.error("one of --cauldron, --diffusers, --pictures is needed")
        marks = judge_folder(rows, folder)
    print(oracle.table(marks))
    if args.wrong:
        for i, (row, mark) in enumerate(zip(rows, marks)):
            if not mark["all"]:
                print(f"{i:03} {row['prompt']}: wrong {', '.join(n for n, v in mark.items() if v is False and n != 'all')}")


if __name__ == "__main__":
    main()
