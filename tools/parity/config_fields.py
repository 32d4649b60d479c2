"""The config fields of the reference's classes with their defaults, for tests/unit/engine_weights_configs.c.

    python tools/parity/config_fields.py tests/unit/data/config_fields.json

Every field that a class takes must be known to the engine: honoured, refused or listed as harmless.
"""
import inspect
import json
import sys

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig


def signature(cls):
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in ("self", "kwargs")}


def main():
    fields = {
        "unet": signature(UNet2DConditionModel),
        "vae": signature(AutoencoderKL),
        "clip": CLIPTextConfig().to_dict(),
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(fields, file, indent=1, sort_keys=True)
        file.write("\n")


main()
