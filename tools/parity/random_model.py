"""Full-size models with random weights, for benchmarks: the published shapes, float16, as Diffusers folders.

    python random_model.py sd15 /big/disk/sd15          2.1 GB
    python random_model.py sd21 /big/disk/sd21          2.6 GB
    python random_model.py sdxl /big/disk/sdxl          6.9 GB
    python random_model.py sd15 /tmp/small --small      a few MB of the same structure, to try scripts on

Tensors are written one after the other: memory stays below one tensor of float32. Matrices are normal with
variance 1/fan_in, norms one, biases zero, so activations stay of order one and nothing overflows in float16.
The tokenizer is the standard CLIP vocabulary.
"""

import argparse
import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import models
import vocabulary


def text_config(width, layers, heads, act, projection):
    return CLIPTextConfig(
        vocab_size=49408, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, max_position_embeddings=77, hidden_act=act, layer_norm_eps=1e-5,
        projection_dim=projection, bos_token_id=0, eos_token_id=2, pad_token_id=1)


CLIP_L, OPENCLIP_H = (768, 12, 12, "quick_gelu", 768), (1024, 23, 16, "gelu", 512)
OPENCLIP_BIGG = (1280, 32, 20, "gelu", 1280)

MODELS = {
    "sd15": dict(scheduler=models.SD15_SCHEDULER, text=[CLIP_L], sample=64, channels=(320, 640, 1280, 1280), heads=8,
                 cross=768, plain=(3,), more={}),
    "sd21": dict(scheduler=models.SD2V_SCHEDULER, text=[OPENCLIP_H], sample=96, channels=(320, 640, 1280, 1280),
                 heads=(5, 10, 20, 20), cross=1024, plain=(3,), pad="!", more=dict(use_linear_projection=True)),
    "sdxl": dict(scheduler=models.SDXL_SCHEDULER, text=[CLIP_L, OPENCLIP_BIGG], sample=128, channels=(320, 640, 1280),
                 heads=(5, 10, 20), cross=2048, plain=(0,), more=dict(
                     transformer_layers_per_block=[1, 2, 10], addition_time_embed_dim=256,
                     projection_class_embeddings_input_dim=2816, **models.XL)),
}


def make_spec(name, small):
    m = dict(MODELS[name])
    text, channels, vae = m["text"], m["channels"], (128, 256, 512, 512)
    if small:  # the same levels, heads and widths of text, a tenth of the channels
        text = [(width, 2, heads, act, projection) for width, _, heads, act, projection in text]
        channels, vae = tuple({320: 32, 640: 64, 1280: 128}[c] for c in channels), (32, 32, 64, 64)
        m["heads"] = 4
    unet = models.unet_config(channels, m["heads"], 2, m["cross"], 32, plain=m["plain"], **m["more"])
    scaling = 0.13025 if name == "sdxl" else 0.18215
    return dict(scheduler=m["scheduler"], text=[text_config(*t) for t in text], pad=m.get("pad", vocabulary.END),
                unet=unet | {"sample_size": m["sample"]}, vae=models.vae_config(vae, 2, 32, scaling=scaling))


def modules(spec):
    with torch.device("meta"):  # shapes only
        made = {"unet": UNet2DConditionModel(**spec["unet"]), "vae": AutoencoderKL(**spec["vae"])}
        for i, config in enumerate(spec["text"]):
            made["text_encoder" + ("_2" if i else "")] = (CLIPTextModelWithProjection if i else CLIPTextModel)(config)
    return made


def random_tensor(name, shape, seed):
    if name.endswith("bias"):
        return np.zeros(shape, np.float16)
    if len(shape) == 1:
        return np.ones(shape, np.float16)
    x = np.random.default_rng([seed, zlib.crc32(name.encode())]).standard_normal(shape, dtype=np.float32)
    x *= 0.1 if "embedding" in name and "time" not in name and "add" not in name else 1 / math.sqrt(math.prod(shape[1:]))
    return x.astype(np.float16)


def write_weights(path, module, prefix, seed):
    """A safetensors file, tensor by tensor."""
    entries, header, offset = [], {"__metadata__": {"format": "pt"}}, 0
    for name, p in module.named_parameters():
        stored = name if name.startswith(("text_model.", "text_projection")) else prefix + name
        size = 2 * p.numel()
        header[stored] = {"dtype": "F16", "shape": list(p.shape), "data_offsets": [offset, offset + size]}
        entries.append((name, tuple(p.shape)))
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for name, shape in entries:
            f.write(random_tensor(name, shape, seed).tobytes())


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("model", choices=MODELS)
    options.add_argument("folder", type=Path)
    options.add_argument("--small", action="store_true")
    options.add_argument("--seed", type=int, default=0)
    options = options.parse_args()
    models.quiet()
    spec = make_spec(options.model, options.small)
    parts = modules(spec)
    models.write_configs(options.folder, spec, parts)
    models.write_tokenizers(options.folder, spec, vocabulary.standard_merges())
    for i, (name, module) in enumerate(parts.items()):
        text = name.startswith("text")
        path = options.folder / name / ("model.safetensors" if text else "diffusion_pytorch_model.safetensors")
        write_weights(path, module, "text_model." if text else "", options.seed + i)
        print(f"{name}: {sum(p.numel() for p in module.parameters()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()
