"""Pairs of Diffusers and LDM tensor names, for tests/unit/engine_weights_keymap.c.

    python tools/parity/key_names.py tests/unit/data/key_names.txt

The LDM names are made by ldm.py and proven by the reference: diffusers' own converter must turn them back into the
state dict of the model. Format: a line "= KIND CONFIG" for each model, then lines "DIFFUSERS LDM".
"""
import json
import sys

from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint

import ldm

UNETS = [
    dict(block_out_channels=[8, 8, 16, 16], norm_num_groups=4, layers_per_block=1, cross_attention_dim=8,
         attention_head_dim=2),
    dict(block_out_channels=[8, 16], norm_num_groups=4, layers_per_block=2, cross_attention_dim=8,
         attention_head_dim=[1, 2], down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"],
         up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"], transformer_layers_per_block=[1, 2],
         use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=4,
         projection_class_embeddings_input_dim=32),
]
VAES = [
    dict(block_out_channels=[8, 16, 16], norm_num_groups=4, layers_per_block=2,
         down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3),
]


def pairs(kind, config, model, to_ldm, from_ldm):
    state = model.state_dict()
    full = dict(model.config)
    named = to_ldm(state, full)
    back = from_ldm(dict(named), full)
    assert back.keys() == state.keys(), back.keys() ^ state.keys()
    # A parameter keeps its memory through both conversions, or at least its numbers.
    assert all((back[k].flatten() == v.flatten()).all() for k, v in state.items())
    lines = [f"= {kind} {json.dumps(config)}"]
    where = {v.data_ptr(): k for k, v in state.items()}
    for name, value in named.items():
        lines.append(f"{where[value.data_ptr()]} {name.removeprefix(ldm.UNET).removeprefix(ldm.VAE)}")
    return lines


def main():
    lines = []
    for config in UNETS:
        lines += pairs("unet", config, UNet2DConditionModel(**config), ldm.unet, convert_ldm_unet_checkpoint)
    for config in VAES:
        lines += pairs("vae", config, AutoencoderKL(**config), ldm.vae, convert_ldm_vae_checkpoint)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


main()
