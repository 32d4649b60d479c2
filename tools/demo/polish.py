"""Last touch for the decoder: it sees latents as a denoiser leaves them and must draw the picture that was meant.

A latent is noised to a random early timestep and brought back by the U-Net in one step; the decoder learns to draw clean
outlines from the result. The encoder stays as it is, so the latent space does not move.

    python polish.py --init runs/vae --unet runs/unet --text runs/text --run runs/vae-polished
"""

import argparse

import numpy as np
import torch

import captions
import world
from training import Trainer, load_weights
from unet import TextStates, make_scheduler, make_unet
from vae import SCALING, decoder_loss, make_vae


@torch.no_grad()
def make_pool(unet, encoder, count, seed):
    """Pictures uint8 [n, 3, 128, 128], their latents and those latents after the U-Net, [n, 4, 16, 16]."""
    rng = np.random.default_rng(seed)
    alphas = make_scheduler().alphas_cumprod
    pictures, clean, returned = [], [], []
    for _ in range(0, count, 50):
        scenes = [world.random_scene(rng) for _ in range(50)]
        layouts = [world.place(scene, rng) for scene in scenes]
        z = torch.from_numpy(world.latents(layouts))
        t = torch.randint(20, 300, (50,))
        a, s = alphas[t].sqrt().view(-1, 1, 1, 1), (1 - alphas[t]).sqrt().view(-1, 1, 1, 1)
        noisy = a * z + s * torch.randn_like(z)
        v = unet(noisy, t, encoder([captions.caption(scene, rng) for scene in scenes])[0]).sample
        pictures.append(torch.from_numpy(world.render(layouts)).permute(0, 3, 1, 2))
        clean.append(z)
        returned.append(a * noisy - s * v)
    return torch.cat(pictures), torch.cat(clean), torch.cat(returned)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--init", default="runs/vae")
    parser.add_argument("--unet", default="runs/unet")
    parser.add_argument("--text", default="runs/text")
    parser.add_argument("--run", default="runs/vae-polished")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--lr", type=float, default=7e-4)
    parser.add_argument("--pool", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=41)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    vae = load_weights(make_vae(), args.init)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    unet = load_weights(make_unet("demo"), args.unet).eval()
    pictures, clean, returned = make_pool(unet, TextStates("demo", [args.text]), args.pool, args.seed)
    trainer = Trainer(vae, args.run, args.steps, args.lr, ema=0.99, warmup=30, decay=0.8)
    while trainer.running():
        index = torch.randint(len(clean), (6,))
        x = pictures[index].float() / 127.5 - 1
        z = torch.cat([clean[index[:1]], returned[index[1:]]])
        with torch.autocast("cpu", torch.bfloat16):
            y = vae.decode((z + 0.05 * torch.randn_like(z)) / SCALING).sample.float()
        loss = decoder_loss(y, x)
        trainer.step(loss, {"loss": loss.detach(), "mse": (y.detach().clamp(-1, 1) - x).square().mean() / 4}, every=50)


if __name__ == "__main__":
    main()
