"""A quick look at a running training: draws held-out prompts from a checkpoint's averaged weights and judges them.

    python progress.py --model demo --unet runs/unet --vae runs/vae --text runs/text --count 100 --sheet sheet.png
"""

import argparse
import json

import numpy as np
import torch
from PIL import Image

import oracle
from bench import PROMPTS
from training import load_weights
from unet import MODELS, TextStates, make_unet, sample
from vae import SCALING, make_vae
from world import Scene


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="demo")
    parser.add_argument("--unet", default="runs/unet")
    parser.add_argument("--vae", default="runs/vae")
    parser.add_argument("--text", nargs="+", default=["runs/text"])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--cfg", type=float, nargs="+", default=[4.0])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sheet")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = json.loads(PROMPTS.read_text())[:args.count]
    encoder = TextStates(args.model, args.text)
    unet, vae = load_weights(make_unet(args.model), args.unet).eval(), load_weights(make_vae(), args.vae).eval()
    states, pooled = encoder([row["prompt"] for row in rows])
    empty, empty_pooled = encoder([""])
    if args.model == "demo-xl":
        empty, empty_pooled = torch.zeros_like(empty), torch.zeros_like(empty_pooled)
    for cfg in args.cfg:
        z = torch.cat([sample(unet, args.model, (states[i:i + 50], None if pooled is None else pooled[i:i + 50]), (empty, empty_pooled), i, args.steps, cfg)
                       for i in range(0, len(rows), 50)])
        y = torch.cat([vae.decode(part / SCALING).sample for part in z.split(25)])
        pictures = ((y.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        print("cfg", cfg)
        print(oracle.table([oracle.judge(oracle.look(p), Scene.from_json(r["scene"])) for p, r in zip(pictures, rows)]), flush=True)
        if args.sheet:
            across = 10
            pictures = pictures[:len(pictures) // across * across]
            sheet = pictures.reshape(-1, across, 128, 128, 3).transpose(0, 2, 1, 3, 4).reshape(-1, across * 128, 3)
            Image.fromarray(np.ascontiguousarray(sheet)).save(args.sheet)


if __name__ == "__main__":
    main()
