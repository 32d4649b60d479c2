"""Six tiny models with random weights, one per way in which a Stable Diffusion model can lie on disk.

    python models.py ../../tests/parity/models [NAME...]

The numbers come from a seed and from the tensors' names only. Scales are chosen so that every layer
matters: unit variance through the residual branches, attention that is neither flat nor one-hot.
"""

import argparse
import json
import math
import shutil
import tempfile
import warnings
import zlib
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import (AutoencoderKL, StableDiffusionInpaintPipeline, StableDiffusionPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

import ldm
import vocabulary

SMALL, STANDARD = 600, 49408

# scheduler_config.json as the published models have it.
SD15_SCHEDULER = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "trained_betas": None, "clip_sample": False,
}
SD2V_SCHEDULER = {
    "_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction",
    "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}
SDXL_SCHEDULER = {
    "_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.19.0.dev0", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": False, "interpolation_type": "linear",
    "num_train_timesteps": 1000, "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None,
    "use_karras_sigmas": False,
}


def text_config(width, layers, heads, vocab, act="quick_gelu", projection=None, eos=2):
    end = vocab - 1
    return CLIPTextConfig(
        vocab_size=vocab, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers,
        num_attention_heads=heads, max_position_embeddings=77, hidden_act=act, layer_norm_eps=1e-5,
        projection_dim=projection or width, bos_token_id=end - 1, eos_token_id=end if eos is None else eos,
        pad_token_id=end)


def unet_config(channels, heads, layers, cross, groups, plain=(), **more):
    """plain: levels without transformers."""
    down = ["DownBlock2D" if i in plain else "CrossAttnDownBlock2D" for i in range(len(channels))]
    up = [d.replace("Down", "Up") for d in reversed(down)]
    return dict(
        sample_size=8, in_channels=more.pop("in_channels", 4), out_channels=4, block_out_channels=channels,
        down_block_types=down, up_block_types=up, layers_per_block=layers, attention_head_dim=heads,
        cross_attention_dim=cross, norm_num_groups=groups, **more)


def vae_config(channels, layers, groups, scaling=0.18215):
    n = len(channels)
    return dict(
        sample_size=8 << (n - 1), in_channels=3, out_channels=3, latent_channels=4, block_out_channels=channels,
        down_block_types=["DownEncoderBlock2D"] * n, up_block_types=["UpDecoderBlock2D"] * n, layers_per_block=layers,
        norm_num_groups=groups, scaling_factor=scaling)


# The keys that Stable Diffusion 1.5's config files have; everything else is a default.
KEYS_2022 = set("""_class_name _diffusers_version act_fn attention_head_dim block_out_channels center_input_sample
    cross_attention_dim down_block_types downsample_padding flip_sin_to_cos freq_shift in_channels layers_per_block
    mid_block_scale_factor norm_eps norm_num_groups out_channels sample_size up_block_types latent_channels""".split())

XL = dict(use_linear_projection=True, addition_embed_type="text_time")

MODELS = {
    "sd1": dict(  # three levels, bfloat16, configs as short as those of 2022
        dtype=torch.bfloat16, sparse=True, scheduler=SD15_SCHEDULER, text=[text_config(32, 2, 4, SMALL)],
        unet=unet_config((16, 24, 40), (2, 3, 5), 1, 32, 8, plain=(2,)), vae=vae_config((8, 8, 16, 16), 1, 4)),
    "sd2-v": dict(  # sharded float32, transformers 5 names, four pixels to a latent
        dtype=torch.float32, scheduler=SD2V_SCHEDULER, pad="!", shards=True, prefix=False,
        text=[text_config(40, 3, 5, SMALL, act="gelu")],
        unet=unet_config((16, 32), (2, 4), 1, 40, 16, use_linear_projection=True), vae=vae_config((8, 16, 16), 1, 8)),
    "sdxl": dict(  # only *.fp16.safetensors
        dtype=torch.float16, scheduler=SDXL_SCHEDULER, variant="fp16",
        text=[text_config(24, 3, 3, SMALL), text_config(40, 4, 5, SMALL, act="gelu", projection=40)],
        unet=unet_config((16, 32), (2, 4), 1, 64, 8, plain=(0,), transformer_layers_per_block=[1, 2],
                         addition_time_embed_dim=8, projection_class_embeddings_input_dim=40 + 6 * 8, **XL),
        vae=vae_config((8, 16, 16, 16), 1, 4, scaling=0.13025)),
    "inpainting": dict(  # nine input channels, a different number of layers on each level
        dtype=torch.float16, scheduler=SD15_SCHEDULER, text=[text_config(24, 2, 2, SMALL, eos=None)],
        unet=unet_config((12, 20), 4, (1, 2), 24, 4, in_channels=9), vae=vae_config((8, 8, 8, 12), 2, 4)),
    "single-sd1": dict(
        dtype=torch.float16, scheduler=SD15_SCHEDULER, single=True, text=[text_config(12, 2, 2, STANDARD)],
        unet=unet_config((16, 24), 4, 2, 12, 8, plain=(1,)), vae=vae_config((8, 8, 16, 16), 1, 8)),
    "single-xl": dict(  # ten layers in the second encoder: diffusers knows SDXL by its resblocks.9
        dtype=torch.float16, scheduler=SDXL_SCHEDULER, single=True,
        text=[text_config(8, 3, 2, STANDARD), text_config(12, 11, 3, STANDARD, act="gelu", projection=12)],
        unet=unet_config((16, 16, 24), (2, 2, 3), 1, 20, 8, plain=(0,), transformer_layers_per_block=[1, 1, 3],
                         addition_time_embed_dim=6, projection_class_embeddings_input_dim=12 + 6 * 6, **XL),
        vae=vae_config((8, 8, 8, 16), 1, 8, scaling=0.13025)),
}


def quiet():
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def randomise(module, seed):
    """Gaussian weights of variance 1/fan_in, norms near one; each tensor from its own stream."""
    for name, p in module.named_parameters():
        g = torch.Generator().manual_seed(seed + zlib.crc32(name.encode()))
        x = torch.randn(p.shape, generator=g)
        if name.endswith("bias"):
            x = 0.1 * x
        elif "token_embedding" in name:
            x = torch.round(x * 2) / 4  # few distinct values: a vocabulary that packs well
        elif "position_embedding" in name:
            x = 0.3 * x
        elif p.dim() == 1:
            x = 1 + 0.2 * x
        else:
            gain = 1.5 if any(k in name for k in ("to_q", "to_k", "q_proj", "k_proj")) else 1.0
            x = x * (gain / math.sqrt(p[0].numel()))
        p.data = x
    if isinstance(module, AutoencoderKL):  # latents of unit size, a posterior of modest width
        n = module.config.latent_channels
        module.quant_conv.weight.data[:n] /= 2 * module.config.scaling_factor
        module.quant_conv.bias.data[n:] -= 3
    return module.eval()


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def build(spec, seed):
    """-> components by folder name, in spec's dtype"""
    torch.manual_seed(seed)
    made = {"unet": UNet2DConditionModel(**spec["unet"]), "vae": AutoencoderKL(**spec["vae"])}
    for i, config in enumerate(spec["text"]):
        made["text_encoder" + ("_2" if i else "")] = (CLIPTextModelWithProjection if i else CLIPTextModel)(config)
    return {k: randomise(m, seed * 1000 + i).to(spec["dtype"]) for i, (k, m) in enumerate(sorted(made.items()))}


def model_index(spec):
    xl, inpaint = len(spec["text"]) == 2, spec["unet"]["in_channels"] == 9
    kind = StableDiffusionXLPipeline if xl else StableDiffusionInpaintPipeline if inpaint else StableDiffusionPipeline
    index = {
        "_class_name": kind.__name__, "_diffusers_version": "0.42.1", "feature_extractor": [None, None],
        "image_encoder": [None, None], "scheduler": ["diffusers", spec["scheduler"]["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    }
    if xl:
        index |= {"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
                  "tokenizer_2": ["transformers", "CLIPTokenizer"], "force_zeros_for_empty_prompt": True}
    else:
        index |= {"safety_checker": [None, None], "requires_safety_checker": False}
    return index


def text_model_prefix(path, wanted):
    """transformers 5 drops CLIPTextModel's text_model. prefix, which all published folders have."""
    tensors = load_file(path)
    plain = {k.removeprefix("text_model."): v for k, v in tensors.items()}
    if wanted:
        plain = {(k if k.startswith("text_projection") else "text_model." + k): v for k, v in plain.items()}
    save_file(plain, path, metadata={"format": "pt"})


def write_configs(folder, spec, parts):
    write_json(folder / "model_index.json", model_index(spec))
    write_json(folder / "scheduler" / "scheduler_config.json", spec["scheduler"])
    for name, module in parts.items():
        config = module.config.to_dict() if hasattr(module.config, "to_dict") else dict(module.config)
        if hasattr(module, "_internal_dict"):
            config = {"_class_name": type(module).__name__, "_diffusers_version": "0.42.1",
                      **{k: v for k, v in config.items() if not k.startswith("_")}}
            if spec.get("sparse"):
                config = {k: v for k, v in config.items() if k in KEYS_2022}
        else:
            config["architectures"] = [type(module).__name__]
        write_json(folder / name / "config.json", config)


def write_tokenizers(folder, spec, merges):
    vocabulary.write_tokenizer(folder / "tokenizer", merges, spec.get("pad", vocabulary.END))
    if len(spec["text"]) == 2:
        vocabulary.write_tokenizer(folder / "tokenizer_2", merges, "!")


def write_folder(folder, spec, parts):
    write_tokenizers(folder, spec, vocabulary.small_merges(SMALL - 514))
    for name, module in parts.items():
        shard = {"max_shard_size": "400KB"} if spec.get("shards") and name == "unet" else {}
        module.save_pretrained(folder / name, variant=spec.get("variant"), **shard)
        if name.startswith("text"):
            for path in (folder / name).glob("model*.safetensors"):
                text_model_prefix(path, wanted=spec.get("prefix", True) or name.endswith("_2"))
    write_configs(folder, spec, parts)  # last: in place of those of save_pretrained


def write_single(path, spec, parts):
    xl = len(spec["text"]) == 2
    tensors = ldm.unet(parts["unet"].state_dict(), parts["unet"].config)
    tensors |= ldm.vae(parts["vae"].state_dict(), parts["vae"].config)
    first = "conditioner.embedders.0.transformer." if xl else "cond_stage_model.transformer."
    tensors |= ldm.clip(parts["text_encoder"].state_dict(), first)
    if xl:
        tensors |= ldm.open_clip(parts["text_encoder_2"].state_dict(), "conditioner.embedders.1.model.")
    save_file(tensors, path)
    write_configs(path.with_suffix(".config"), spec, parts)


def open_pipeline(path, dtype=torch.float32, kind=None):
    """The model as diffusers opens it, whatever its form on disk."""
    path = Path(path)
    if path.is_dir():
        kind = kind or getattr(diffusers, json.loads((path / "model_index.json").read_text())["_class_name"])
        variant = "fp16" if list(path.glob("unet/*.fp16.safetensors")) else None
        return kind.from_pretrained(path, torch_dtype=dtype, variant=variant, local_files_only=True)
    with tempfile.TemporaryDirectory() as t:  # configs beside the file, plus the standard vocabulary
        shutil.copytree(path.with_suffix(".config"), t, dirs_exist_ok=True)
        index = json.loads((Path(t) / "model_index.json").read_text())
        merges = vocabulary.standard_merges()
        vocabulary.write_tokenizer(Path(t) / "tokenizer", merges)
        if "tokenizer_2" in index:
            vocabulary.write_tokenizer(Path(t) / "tokenizer_2", merges, "!")
        kind = kind or getattr(diffusers, index["_class_name"])
        return kind.from_single_file(str(path), config=t, torch_dtype=dtype, local_files_only=True)


def verify(path, parts):
    """What diffusers reads back is what was made."""
    pipe = open_pipeline(path)
    for name, module in parts.items():
        read = {k.removeprefix("text_model."): v for k, v in getattr(pipe, name).state_dict().items()}
        made = {k.removeprefix("text_model."): v.float() for k, v in module.state_dict().items()}
        made = {k: v for k, v in made.items() if not k.endswith("position_ids")}
        read = {k: v for k, v in read.items() if not k.endswith("position_ids")}
        if made.keys() != read.keys():
            raise SystemExit(f"{path}: {name}: names differ: {sorted(made.keys() ^ read.keys())[:5]}")
        for key, value in made.items():
            if not torch.equal(value, read[key]):
                raise SystemExit(f"{path}: {name}: {key} differs")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("names", nargs="*", help="all when none is given")
    options = options.parse_args()
    root = options.folder
    quiet()
    for seed, (name, spec) in enumerate(MODELS.items(), 1):
        if options.names and name not in options.names:
            continue
        parts = build(spec, seed)
        path = root / (name + ".safetensors" if spec.get("single") else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        (write_single if spec.get("single") else write_folder)(path, spec, parts)
        verify(path, parts)
        files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
        print(f"{name}: {sum(p.stat().st_size for p in files)} bytes")


if __name__ == "__main__":
    main()
