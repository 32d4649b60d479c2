"""The denoisers: v-prediction, plain mean squared error, text states from the frozen encoders.

    python unet.py --model demo    --run runs/unet    --text runs/text                     --steps 30000
    python unet.py --model demo-xl --run runs/unet-xl --text runs/text-xl1 runs/text-xl2   --steps 30000
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

import captions
import prompts
import text
import world
from tokenizer import WordTokenizer
from training import Trainer, load_weights

MODELS = {"demo": ("sd",), "demo-xl": ("xl1", "xl2")}
STANDARD_IDS = (world.SIZE, world.SIZE, 0, 0, world.SIZE, world.SIZE)


def make_scheduler():
    """Betas a little stronger than SD's, so that almost nothing of the picture is left at the last timestep."""
    return DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.02, beta_schedule="scaled_linear", prediction_type="v_prediction",
        timestep_spacing="trailing", clip_sample=False, set_alpha_to_one=False, steps_offset=1)


def make_unet(model):
    blocks = dict(
        sample_size=world.GRID, block_out_channels=(48, 96, 128), layers_per_block=1, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"))
    if model == "demo":
        return UNet2DConditionModel(**blocks, cross_attention_dim=128, attention_head_dim=4)
    return UNet2DConditionModel(
        **blocks, cross_attention_dim=64 + 96, attention_head_dim=(3, 4, 4), use_linear_projection=True, transformer_layers_per_block=(1, 1, 1),
        addition_embed_type="text_time", addition_time_embed_dim=32, projection_class_embeddings_input_dim=6 * 32 + text.POOLED)


@torch.no_grad()
def adopt(unet, tensors):
    """Start demo-xl from demo's weights: the same blocks, the same scene code in other columns, new conditions silent at first."""
    for name, p in unet.named_parameters():
        if name.startswith("add_embedding.linear_2"):
            p.zero_()
        elif name in tensors and tensors[name].numel() == p.numel():
            p.copy_(tensors[name].reshape(p.shape))
        elif name in tensors:  # to_k and to_v of the cross-attention
            p.zero_()
            p[:, :text.CODE] = tensors[name][:, :text.CODE]


class TextStates:
    """Frozen encoders: captions -> (token states [n, 77, d], pooled [n, p] or None), float32."""

    def __init__(self, model, runs):
        self.kinds = MODELS[model]
        self.encoders = [load_weights(text.make_encoder(k), r).eval().requires_grad_(False) for k, r in zip(self.kinds, runs)]
        self.tokens = WordTokenizer()

    @torch.no_grad()
    def __call__(self, lines):
        states, pooled = [], None
        for kind, encoder in zip(self.kinds, self.encoders):
            ids = torch.tensor([self.tokens.encode(line, pad=text.KINDS[kind][2]) for line in lines])
            state, pool = text.encode(encoder, kind, ids)
            states.append(state)
            pooled = pool if pool is not None else pooled
        return torch.cat(states, dim=-1), pooled


def blur(z):
    """A picture that came from a small original: neighbouring cells are averaged."""
    padded = np.pad(z, ((0, 0), (1, 1), (1, 1)), mode="edge")
    return sum(padded[:, i:i + z.shape[1], j:j + z.shape[2]] for i in range(3) for j in range(3)) / 9


def make_pool(model, runs, scenes_count, layouts_each, seed):
    """Latents fp16 [n, m, 4, 16, 16], time ids [n, m, 6], token states fp16 [n, 77, d], pooled [n, p] or None."""
    rng, forbidden = np.random.default_rng(seed), prompts.held_out()
    encoder = TextStates(model, runs)
    z = np.empty((scenes_count, layouts_each, 4, world.GRID, world.GRID), dtype=np.float16)
    ids = np.tile(np.array(STANDARD_IDS, dtype=np.int16), (scenes_count, layouts_each, 1))
    states, pooled = None, None
    for i in range(0, scenes_count, 200):
        scenes = []
        while len(scenes) < min(200, scenes_count - i):
            scene = world.random_scene(rng)
            if prompts.key(scene) not in forbidden:
                scenes.append(scene)
        s, p = encoder([captions.caption(scene, rng) for scene in scenes])
        if states is None:
            states = torch.empty((scenes_count, *s.shape[1:]), dtype=torch.float16)
            pooled = torch.empty((scenes_count, p.shape[1])) if p is not None else None
        states[i:i + 200] = s
        if p is not None:
            pooled[i:i + 200] = p
        layouts = []
        for a, scene in enumerate(scenes):
            for b in range(layouts_each):
                if model == "demo-xl" and rng.random() < 0.12:  # a crop of a larger picture
                    ids[i + a, b, 2:4] = rng.integers(-5, 6, 2).clip(0) * 8
                left, top = int(ids[i + a, b, 3]), int(ids[i + a, b, 2])
                layouts.append(world.place(scene, rng, shift=(left, top)))
        z[i:i + 200] = world.latents(layouts).reshape(-1, layouts_each, 4, world.GRID, world.GRID)
        if model == "demo-xl":
            for a, b in zip(*np.nonzero(rng.random((len(scenes), layouts_each)) < 0.05)):
                z[i + a, b] = blur(z[i + a, b].astype(np.float32))
                ids[i + a, b, :2] = world.SIZE // 4
    return {"z": torch.from_numpy(z), "ids": torch.from_numpy(ids), "states": states, "pooled": pooled}


class Batches:
    def __init__(self, model, runs, pool):
        self.pool, self.xl = pool, model == "demo-xl"
        empty, pooled = TextStates(model, runs)([""])
        self.empty, self.empty_pooled = empty, pooled

    def __call__(self, count):
        """latents, token states, added conditions for `count` random pictures; one in ten without its caption."""
        n = torch.randint(len(self.pool["z"]), (count,))
        m = torch.randint(self.pool["z"].shape[1], (count,))
        z, states = self.pool["z"][n, m].float(), self.pool["states"][n].float()
        drop = torch.rand(count)
        states[drop < 0.1] = self.empty[0]
        if not self.xl:
            return z, states, None
        pooled = self.pool["pooled"][n]
        pooled[drop < 0.1] = self.empty_pooled[0]
        states[drop < 0.07], pooled[drop < 0.07] = 0.0, 0.0  # SDXL's pipeline uses zeros for no negative prompt
        return z, states, {"text_embeds": pooled, "time_ids": self.pool["ids"][n, m].float()}


@torch.no_grad()
def sample(unet, model, conditions, empty, seed=0, steps=20, cfg=4.0):
    """Latents [n, 4, 16, 16] with DDIM and guidance; a short form of the pipelines' loop."""
    scheduler = make_scheduler()
    scheduler.set_timesteps(steps)
    states, pooled = conditions
    n = len(states)
    z = torch.randn(n, 4, world.GRID, world.GRID, generator=torch.Generator().manual_seed(seed))
    both = torch.cat([empty[0].expand_as(states), states])
    added = None
    if model == "demo-xl":
        ids = torch.tensor(STANDARD_IDS).float().expand(2 * n, 6)
        added = {"text_embeds": torch.cat([empty[1].expand_as(pooled), pooled]), "time_ids": ids}
    for t in scheduler.timesteps:
        plain, guided = unet(torch.cat([z, z]), t, both, added_cond_kwargs=added).sample.chunk(2)
        z = scheduler.step(plain + cfg * (guided - plain), t, z).prev_sample
    return z


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="demo")
    parser.add_argument("--run", default="runs/unet")
    parser.add_argument("--text", nargs="+", default=["runs/text"])
    parser.add_argument("--steps", type=int, default=30000)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.5, help="part of the steps over which the learning rate falls")
    parser.add_argument("--scenes", type=int, default=40000)
    parser.add_argument("--layouts", type=int, default=2)
    parser.add_argument("--init", help="start from a run or from an exported unet folder")
    parser.add_argument("--adopt", help="start demo-xl from a run of demo")
    parser.add_argument("--seed", type=int, default=31)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    unet = make_unet(args.model)
    if args.init:
        load_weights(unet, args.init)
    if args.adopt:
        adopt(unet, torch.load(Path(args.adopt).with_suffix(".pt"), weights_only=False)["ema"])
    unet.set_attn_processor(AttnProcessor())  # at this size a third quicker on CPUs than the fused attention's backward pass
    cache = Path(args.run + f"-pool-{args.seed}.pt")
    cache.parent.mkdir(parents=True, exist_ok=True)
    if not cache.exists():
        torch.save(make_pool(args.model, args.text, args.scenes, args.layouts, args.seed), cache)
    batches = Batches(args.model, args.text, torch.load(cache, mmap=True))
    trainer = Trainer(unet, args.run, args.steps, args.lr, ema=0.9985, decay=args.decay, not_matrix=("conv_in", "conv_out", "time_embedding", "add_embedding"))
    alphas = make_scheduler().alphas_cumprod
    while trainer.running():
        z, states, added = batches(args.batch)
        t = torch.randint(1000, (len(z),))
        noise = torch.randn_like(z)
        a, s = alphas[t].sqrt().view(-1, 1, 1, 1), (1 - alphas[t]).sqrt().view(-1, 1, 1, 1)
        with torch.autocast("cpu", torch.bfloat16):
            v = unet(a * z + s * noise, t, states, added_cond_kwargs=added).sample.float()
        error = (v - (a * noise - s * z)).square().mean(dim=(1, 2, 3))
        report = {"loss": error.detach().mean()}
        for name, low in (("low", 0), ("mid", 333), ("high", 667)):
            chosen = (t >= low) & (t < low + 334)
            report[name] = error.detach()[chosen].mean() if chosen.any() else 0.0
        trainer.step(error.mean(), report)


if __name__ == "__main__":
    main()
