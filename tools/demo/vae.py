"""The autoencoder: its latents are prescribed (world.latents), so both halves are plain regressions.

The encoder learns picture -> latents, the decoder latents + noise -> picture.  The noise teaches the decoder
to draw a clean shape from a denoiser's imperfect latents.

    python vae.py --run runs/vae --steps 3600 --bf16
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

import world
from training import Trainer, load_weights

SCALING = 0.5  # latents of the U-Net = SCALING * latents of the autoencoder
LOGVAR = -5.0  # the posterior's spread, about 0.08; the decoder is trained to bear more


def make_vae():
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=world.SIZE, scaling_factor=SCALING, norm_num_groups=8,
        block_out_channels=(16, 16, 32, 64), layers_per_block=1, force_upcast=False,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)


def make_pool(count, seed):
    """Pictures uint8 [n, 3, 128, 128] and latents [n, 4, 16, 16]."""
    rng = np.random.default_rng(seed)
    pictures = np.empty((count, 3, world.SIZE, world.SIZE), dtype=np.uint8)
    z = np.empty((count, 4, world.GRID, world.GRID), dtype=np.float32)
    for i in range(0, count, 250):
        layouts = [world.place(world.random_scene(rng), rng) for _ in range(min(250, count - i))]
        pictures[i:i + 250] = world.render(layouts).transpose(0, 3, 1, 2)
        z[i:i + 250] = world.latents(layouts)
    return torch.from_numpy(pictures), torch.from_numpy(z)


def crops(pictures, z, batch, cells):
    """Random crops of `cells` x `cells` latent cells."""
    index = torch.randint(len(z), (batch,))
    span, c = world.GRID - cells + 1, world.CELL
    xs, zs = [], []
    for i in index.tolist():
        u, v = torch.randint(span, (2,)).tolist()
        xs.append(pictures[i, :, u * c:(u + cells) * c, v * c:(v + cells) * c])
        zs.append(z[i, :, u:u + cells, v:v + cells])
    return torch.stack(xs).float() / 127.5 - 1, torch.stack(zs)


def decoder_loss(y, x):
    d = y - x
    gradient = (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
    return d.abs().mean() + 2 * d.square().mean() + 0.5 * gradient


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", default="runs/vae")
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--whole-from", type=float, default=0.75, help="whole pictures instead of crops after this part of the steps")
    parser.add_argument("--pool", type=int, default=6000)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--init", help="start from a run or from an exported vae folder")
    parser.add_argument("--decoder-only", action="store_true")
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    vae = make_vae()
    if args.init:
        load_weights(vae, args.init)
    if args.decoder_only:
        vae.encoder.requires_grad_(False)
        vae.quant_conv.requires_grad_(False)
    trainer = Trainer(vae, args.run, args.steps, args.lr, ema=0.998)
    pictures, z = make_pool(args.pool, args.seed + trainer.step_number)
    while trainer.running():
        whole = trainer.progress() >= args.whole_from
        x, target = crops(pictures, z, 6 if whole else 16, world.GRID if whole else 8)
        spread = 0.2 * torch.rand(len(x), 1, 1, 1)
        report = {}
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            y = vae.decode((target + spread * torch.randn_like(target)) / SCALING).sample.float()
            loss = decoder_loss(y, x)
            report["mse"] = (y.clamp(-1, 1) - x).square().mean() / 4
            if not args.decoder_only and trainer.step_number % 3 == 0:
                moments = vae.quant_conv(vae.encoder(x)).float()
                mean, logvar = moments.chunk(2, dim=1)
                encoder = (mean * SCALING - target).square().mean()
                loss = loss + encoder + 0.01 * (logvar - LOGVAR).square().mean()
                report["encoder"] = encoder * 3
        trainer.step(loss, report)


if __name__ == "__main__":
    main()
