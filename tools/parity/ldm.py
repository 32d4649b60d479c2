"""Diffusers state dicts to the names of LDM single files: the inverse of diffusers' loaders/single_file_utils.py.

    tensors = {**unet(sd, config), **vae(sd, config), **clip(sd, "cond_stage_model.transformer.")}

Works for U-Nets whose down blocks have equally many layers, as all published single files have.
"""

import re

import torch

UNET = "model.diffusion_model."
VAE = "first_stage_model."

RESNET = [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
          ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")]


def unet_name(name, layers, levels, attention_up):
    """One parameter of UNet2DConditionModel. attention_up: for each up block, whether it has transformers."""
    for old, new in [("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
                     ("add_embedding.linear_1", "label_emb.0.0"), ("add_embedding.linear_2", "label_emb.0.2"),
                     ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")]:
        if name.startswith(old + "."):
            return new + name[len(old):]

    m = re.fullmatch(r"(down_blocks|up_blocks|mid_block)\.(?:(\d+)\.)?(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)",
                     name)
    side, block, kind, i, rest = m[1], int(m[2] or 0), m[3], int(m[4]), m[5]
    if kind == "resnets":
        for old, new in RESNET:
            rest = re.sub(rf"^{old}\.", new + ".", rest)
    if side == "mid_block":
        return f"middle_block.{1 if kind == 'attentions' else 2 * i}.{rest}"
    first = block * (layers + 1)
    if side == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{first + layers + 1}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{first + 1 + i}.{1 if kind == 'attentions' else 0}.{rest}"
    if kind == "upsamplers":
        return f"output_blocks.{first + layers}.{2 if attention_up[block] else 1}.{rest}"
    return f"output_blocks.{first + i}.{1 if kind == 'attentions' else 0}.{rest}"


def unet(tensors, config):
    attention_up = ["CrossAttn" in t for t in config["up_block_types"]]
    levels, layers = len(attention_up), config["layers_per_block"]
    return {UNET + unet_name(k, layers, levels, attention_up): v for k, v in tensors.items()}


def vae(tensors, config):
    levels = len(config["block_out_channels"])
    out = {}
    for name, value in tensors.items():
        name = re.sub(r"down_blocks\.(\d+)\.resnets\.(\d+)", r"down.\1.block.\2", name)
        name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
        name = re.sub(r"up_blocks\.(\d+)\.resnets\.(\d+)", lambda m: f"up.{levels - 1 - int(m[1])}.block.{m[2]}", name)
        name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", name)
        name = re.sub(r"mid_block\.resnets\.(\d+)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        if "mid_block.attentions.0" in name:
            name = name.replace("mid_block.attentions.0", "mid.attn_1")
            for old, new in [("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")]:
                name = name.replace(f".{old}.", f".{new}.")
            if value.dim() == 2:  # LDM writes these linears as 1x1 convolutions
                value = value[:, :, None, None]
        name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        out[VAE + name] = value.contiguous()
    return out


def clip(tensors, prefix):
    """transformers' CLIPTextModel with the text_model. prefix that checkpoints carry."""
    out = {prefix + ("" if k.startswith("text_model.") else "text_model.") + k: v for k, v in tensors.items()}
    positions = next(v for k, v in tensors.items() if k.endswith("position_embedding.weight")).shape[0]
    out[prefix + "text_model.embeddings.position_ids"] = torch.arange(positions)[None]  # old files carry it
    return out


def open_clip(tensors, prefix):
    """CLIPTextModelWithProjection to OpenCLIP's transformer: q, k, v in one matrix, the projection transposed."""
    tensors = {k.removeprefix("text_model."): v for k, v in tensors.items()}
    out = {
        "token_embedding.weight": tensors["embeddings.token_embedding.weight"],
        "positional_embedding": tensors["embeddings.position_embedding.weight"],
        "ln_final.weight": tensors["final_layer_norm.weight"],
        "ln_final.bias": tensors["final_layer_norm.bias"],
        "text_projection": tensors["text_projection.weight"].T.contiguous(),
        "logit_scale": torch.tensor(4.6052),
    }
    names = [("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
             ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")]
    for i in range(1 + max(int(k.split(".")[2]) for k in tensors if k.startswith("encoder.layers."))):
        source, target = f"encoder.layers.{i}.", f"transformer.resblocks.{i}."
        for part in ("weight", "bias"):
            qkv = [tensors[f"{source}self_attn.{p}_proj.{part}"] for p in "qkv"]
            out[f"{target}attn.in_proj_{part}"] = torch.cat(qkv)
            for old, new in names:
                out[f"{target}{new}.{part}"] = tensors[f"{source}{old}.{part}"]
    return {prefix + k: v for k, v in out.items()}
