"""Text encoders that are taught to write the scene into their output, then frozen.

Every token after the caption's end (its <|endoftext|> and the padding, some 60 tokens that cross-attention sees)
must spell the scene in a fixed code: even positions from the first thing's point of view, odd ones from the second's.
So the U-Net need not learn language, only drawing.

    python text.py --kind sd --run runs/text
    python text.py --kind xl1 --run runs/text-xl1
    python text.py --kind xl2 --run runs/text-xl2
"""

import argparse

import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import captions
import world
from tokenizer import END, MAX_LENGTH, WordTokenizer
from training import Trainer

# kind: (width, layers, padding token, which state carries the code, scale of the code)
KINDS = {"sd": (128, 3, END), "xl1": (64, 4, END), "xl2": (96, 4, "!")}
POOLED = 64
GAIN = 3.0

_THING = len(world.COLOURS) + len(world.SHAPES) + len(world.SIZES)
CODE = 2 * _THING + 3 + 2 + len(world.BACKGROUNDS) + 1  # own, other, count, direction, background, is-a-pair


def _thing_code(thing):
    code = np.zeros(_THING, dtype=np.float32)
    code[world.COLOUR_NAMES.index(thing.colour)] = 1
    code[8 + world.SHAPES.index(thing.shape)] = 1
    code[16 + world.SIZE_NAMES.index(thing.size or "medium")] = 1
    return code


def scene_code(scene):
    """[2, CODE]: the scene as its first and as its second thing see it."""
    code = np.zeros((2, CODE), dtype=np.float32)
    a, at = _thing_code(scene.a), 2 * _THING
    code[:, :_THING] = a
    code[:, at + scene.count - 1] = 1
    if scene.b is not None:
        b, direction = _thing_code(scene.b), world.RELATIONS[scene.relation]
        code[1, :_THING] = b
        code[0, _THING:at], code[1, _THING:at] = b, a
        code[0, at + 3:at + 5] = direction
        code[1, at + 3:at + 5] = [-d for d in direction]
        code[:, -1] = 1
    if scene.background:
        code[:, at + 5 + world.BACKGROUND_NAMES.index(scene.background)] = 1
    return code


def make_encoder(kind):
    width, layers, _ = KINDS[kind]
    tokens = WordTokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokens.vocab), hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=width // 16 if kind == "sd" else width // 32 * 2, max_position_embeddings=MAX_LENGTH,
        hidden_act="quick_gelu" if kind != "xl2" else "gelu", projection_dim=POOLED if kind == "xl2" else width,
        bos_token_id=tokens.start, eos_token_id=tokens.end, pad_token_id=tokens.vocab[KINDS[kind][2]])
    return (CLIPTextModelWithProjection if kind == "xl2" else CLIPTextModel)(config)


def encode(model, kind, ids):
    """(token states, pooled or None) as the pipelines use them: SD the normed last ones, SDXL the last but one."""
    out = model(input_ids=ids, output_hidden_states=kind != "sd")
    if kind == "sd":
        return out.last_hidden_state, None
    return out.hidden_states[-2], out.text_embeds if kind == "xl2" else None


def targets(scenes, lengths, total):
    """(token targets [n, total, CODE], their mask [n, total], pooled targets [n, CODE])."""
    codes = torch.from_numpy(np.stack([scene_code(s) if s else np.zeros((2, CODE), np.float32) for s in scenes])) * GAIN
    parity = torch.arange(total) % 2
    mask = torch.arange(total)[None] > torch.tensor(lengths)[:, None]
    return codes[:, parity], mask.float(), codes[:, 0]


def pooled_target(codes):
    """The pooled vector has no room for everything: first thing, count, direction, background."""
    return torch.cat([codes[:, :_THING], codes[:, 2 * _THING:]], dim=1)


def accuracy(states, target, mask):
    """Share of scenes whose every part is read correctly at every unmasked position."""
    at, ok = 0, torch.ones(states.shape[:2], dtype=torch.bool)
    for n in (8, 8, 3, 8, 8, 3, 3):
        part, want = states[..., at:at + n], target[..., at:at + n]
        ok &= (part.argmax(-1) == want.argmax(-1)) | (want.sum(-1) == 0)
        at += n
    rest = (states[..., at:CODE] - target[..., at:]).abs().amax(-1) < GAIN / 2
    return ((ok & rest) | (mask == 0)).all(dim=1).float().mean()


def batch_of(rng, tokens, count, total, pad):
    scenes = [world.random_scene(rng) if rng.random() > 0.02 else None for _ in range(count)]
    texts = [captions.caption(s, rng) if s else "" for s in scenes]
    ids = torch.tensor([tokens.encode(t, total, pad) for t in texts])
    return scenes, ids, [len(tokens.words(t)) for t in texts]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=KINDS, default="sd")
    parser.add_argument("--run", default="runs/text")
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=21)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    model = make_encoder(args.kind)
    trainer = Trainer(model, args.run, args.steps, args.lr, ema=0.99, not_matrix=("embedding",))
    rng = np.random.default_rng(args.seed + trainer.step_number)
    tokens, pad = WordTokenizer(), KINDS[args.kind][2]
    short = 30  # the longest caption has 23 tokens; most of the training sees only a few padding tokens
    table = next(p for n, p in model.named_parameters() if "position_embedding" in n)
    while trainer.running():
        full = trainer.progress() > 0.8
        if full and trainer.step_number == int(0.8 * args.steps) + 1:
            with torch.no_grad():  # later positions start as copies of the trained ones of equal parity
                for p in range(short, MAX_LENGTH):
                    table[p] = table[short - 6 + (p - short) % 6]
        total = MAX_LENGTH if full else short
        scenes, ids, lengths = batch_of(rng, tokens, 64, total, pad)
        states, pooled = encode(model, args.kind, ids)
        target, mask, whole = targets(scenes, lengths, total)
        error = (states[..., :CODE] - target).square().mean(-1)
        loss = (error * mask).sum() / mask.sum()
        if pooled is not None:
            want = pooled_target(whole)
            loss = loss + (pooled[:, :want.shape[1]] - want).square().mean()
        report = {"loss": loss.detach()}
        if trainer.step_number % 20 == 0:
            report["right"] = 20 * accuracy(states.detach(), target, mask)
        trainer.step(loss, report)


if __name__ == "__main__":
    main()
