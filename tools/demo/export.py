"""Checkpoints -> standard Diffusers folders in fp16.

    python export.py --model demo    --unet runs/unet    --vae runs/vae --text runs/text                   --out models/demo
    python export.py --model demo-xl --unet runs/unet-xl --vae runs/vae --text runs/text-xl1 runs/text-xl2 --out models/demo-xl
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import text
from tokenizer import write_tokenizer
from training import load_weights
from unet import MODELS, make_scheduler, make_unet
from vae import make_vae


def restore_prefix(folder):
    """SD folders name the encoder's tensors text_model.*; transformers 5 writes CLIPTextModel without that prefix."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    named = {n if n.startswith(("text_model.", "text_projection.")) else "text_model." + n: t.contiguous() for n, t in tensors.items()}
    named.pop("text_model.embeddings.position_ids", None)
    save_file(named, path, metadata={"format": "pt"})


def write_json(path, data):
    path.write_text(json.dumps(data, indent=2) + "\n")


def strip_config(path):
    """Drop what only describes the machine that saved it."""
    config = json.loads(path.read_text())
    config.pop("_name_or_path", None)
    write_json(path, config)


def export(model, unet_run, vae_run, text_runs, out):
    out = Path(out)
    xl = model == "demo-xl"
    unet, vae = load_weights(make_unet(model), unet_run).half(), load_weights(make_vae(), vae_run).half()
    encoders = [load_weights(text.make_encoder(kind), run).half() for kind, run in zip(MODELS[model], text_runs)]
    for part in ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"):
        shutil.rmtree(out / part, ignore_errors=True)
    unet.save_pretrained(out / "unet")
    vae.save_pretrained(out / "vae")
    make_scheduler().save_pretrained(out / "scheduler")
    for kind, encoder, suffix in zip(MODELS[model], encoders, ("", "_2")):
        folder = out / ("text_encoder" + suffix)
        encoder.save_pretrained(folder)
        restore_prefix(folder)
        strip_config(folder / "config.json")
        write_tokenizer(out / ("tokenizer" + suffix), pad=text.KINDS[kind][2])
    clip = "CLIPTextModel"
    parts = {"scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", clip], "tokenizer": ["transformers", "CLIPTokenizer"],
             "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
    if xl:
        parts |= {"_class_name": "StableDiffusionXLPipeline", "text_encoder_2": ["transformers", clip + "WithProjection"],
                  "tokenizer_2": ["transformers", "CLIPTokenizer"], "force_zeros_for_empty_prompt": True, "add_watermarker": False,
                  "feature_extractor": [None, None], "image_encoder": [None, None]}
    else:
        parts |= {"_class_name": "StableDiffusionPipeline", "safety_checker": [None, None], "feature_extractor": [None, None],
                  "image_encoder": [None, None], "requires_safety_checker": False}
    for path in out.rglob("*.safetensors"):
        path.chmod(0o644)
    write_json(out / "model_index.json", dict(sorted((parts | {"_diffusers_version": "0.42.1"}).items())))


def write_sums(models):
    """models/SHA256SUMS over every file of both folders, in the format of sha256sum."""
    files = sorted(p for name in MODELS for p in (models / name).rglob("*") if p.is_file())
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(models)}" for p in files]
    (models / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--unet", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    export(args.model, args.unet, args.vae, args.text, args.out)
    write_sums(Path(args.out).parent)


if __name__ == "__main__":
    main()
