"""One case, drawn by diffusers: options in the words of `cauldron generate` in, tensors out.

    reference = Reference(folder_of_models)
    tensors = reference.draw({"model": "sd1", "prompt": "a cat", "seed": "7", "steps": 4, "cfg": 7.5})

Everything runs in float32 on the CPU, in the pipelines that users call. Names of the tensors are
those of `cauldron generate --trace`; image i > 0 of a case has the prefix "i.".
"""

import contextlib
import inspect
import json
import sys
from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers.utils import torch_utils
from PIL import Image
from transformers import CLIPTextModel

import models
from philox import Philox

SAMPLERS = {
    "euler": "EulerDiscreteScheduler", "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler", "dpm_2": "KDPM2DiscreteScheduler",
    "dpm_2_ancestral": "KDPM2AncestralDiscreteScheduler", "lms": "LMSDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler", "dpmpp_2m_sde": "DPMSolverMultistepScheduler",
    "dpmpp_2s": "DPMSolverSinglestepScheduler", "dpmpp_sde": "DPMSolverSDEScheduler",
    "uni_pc": "UniPCMultistepScheduler", "deis": "DEISMultistepScheduler", "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler", "pndm": "PNDMScheduler", "lcm": "LCMScheduler", "tcd": "TCDScheduler",
}
SIGMAS = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas", "beta": "use_beta_sigmas"}

PIPELINES = {  # (SDXL?, kind)
    (False, "text"): "StableDiffusionPipeline", (True, "text"): "StableDiffusionXLPipeline",
    (False, "image"): "StableDiffusionImg2ImgPipeline", (True, "image"): "StableDiffusionXLImg2ImgPipeline",
    (False, "mask"): "StableDiffusionInpaintPipeline", (True, "mask"): "StableDiffusionXLInpaintPipeline",
}


def parameters(name):
    return inspect.signature(getattr(diffusers, SAMPLERS[name]).__init__).parameters


def schedules(name):
    """The schedules that diffusers has for a sampler, besides "model" and "uniform". LCM and TCD take the key
    timestep_spacing and ignore it."""
    have = [s for s, key in SIGMAS.items() if key in parameters(name)]
    return have + (["sgm_uniform"] if "timestep_spacing" in parameters(name) and name not in ("lcm", "tcd") else [])


def change_scheduler(base, case):
    """What the options make of the model's scheduler: Other.from_config(pipe.scheduler.config, ...)."""
    if not any(k in case for k in ("sampler", "schedule", "spacing")):
        return base
    classes = {v: k for k, v in SAMPLERS.items() if k != "dpmpp_2m_sde"}
    name = case.get("sampler", classes[type(base).__name__])
    have, changes = parameters(name), {}
    schedule = case.get("schedule", "model")
    if schedule != "model":
        if schedule != "uniform" and schedule not in schedules(name):
            raise ValueError(f"{name} has no schedule {schedule}")
        changes |= {key: s == schedule for s, key in SIGMAS.items() if key in have}
        if schedule == "sgm_uniform":
            changes["timestep_spacing"] = "trailing"
    if "spacing" in case:
        changes["timestep_spacing"] = case["spacing"]
    if name == "dpmpp_2m_sde":
        changes["algorithm_type"] = "sde-dpmsolver++"
    if name == "dpmpp_sde":  # diffusers would take the seed of its Brownian tree from torch's global generator
        changes["noise_sampler_seed"] = int(case["seed"])
    return getattr(diffusers, SAMPLERS[name]).from_config(base.config, **changes)


@contextlib.contextmanager
def recorded_noise():
    """Yields the list of all draws; a Philox in place of a torch generator draws as a GPU would."""
    original, draws, patched = torch_utils.randn_tensor, [], []

    def draw(shape, generator=None, **more):
        if isinstance(generator, Philox):
            x = torch.from_numpy(generator.normal(tuple(shape)))
        else:
            x = original(shape, generator=generator, **more)
        draws.append(x.clone())
        return x

    for name, module in list(sys.modules.items()):
        if name.startswith("diffusers") and vars(module).get("randn_tensor") is original:
            module.randn_tensor = draw
            patched.append(module)
    try:
        yield draws
    finally:
        for module in patched:
            module.randn_tensor = original


@contextlib.contextmanager
def text_model_attribute():
    """transformers 5 flattened CLIPTextModel; diffusers' clip_skip still asks for its .text_model."""
    CLIPTextModel.text_model = property(lambda self: self)
    try:
        yield
    finally:
        del CLIPTextModel.text_model


class Reference:
    def __init__(self, images, find):
        """images: folder of the init pictures and masks; find: a model's name -> its path."""
        self.images, self.find, self.pipes = Path(images), find, {}
        models.quiet()

    def pipeline(self, case, kind):
        """A pipeline as from_pretrained makes it (its constructor corrects some scheduler configs: steps_offset,
        clip_sample), then the scheduler replaced as users do it. Weights are read once per model."""
        model = case["model"]
        if model not in self.pipes:
            self.pipes[model] = models.open_pipeline(self.find(model))
        first = self.pipes[model]
        xl = hasattr(first, "text_encoder_2")
        cls = getattr(diffusers, PIPELINES[xl, kind])
        config = self.scheduler_config(case)
        parts = {k: v for k, v in first.components.items() if k in inspect.signature(cls.__init__).parameters}
        parts["scheduler"] = getattr(diffusers, config["_class_name"]).from_config(config)
        if xl:
            more = {"force_zeros_for_empty_prompt": first.config.force_zeros_for_empty_prompt, "add_watermarker": False}
        else:
            more = {"requires_safety_checker": False}
        pipe = cls(**parts, **more)
        pipe.scheduler = change_scheduler(pipe.scheduler, case)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def scheduler_config(self, case):
        if "scheduler_config" in case:
            return case["scheduler_config"]
        path = Path(self.find(case["model"]))
        folder = path if path.is_dir() else path.with_suffix(".config")
        return json.loads((folder / "scheduler" / "scheduler_config.json").read_text())

    def draw(self, case):
        out = {}
        for i in range(case.get("count", 1)):
            one = dict(case, seed=str(int(case["seed"]) + i))
            for name, value in self.draw_one(one, text=case.get("text", False) and i == 0).items():
                out[f"{i}.{name}" if i else name] = np.ascontiguousarray(value)
        return out

    def draw_one(self, case, text):
        kind = "mask" if "mask" in case else "image" if "init" in case else "text"
        pipe = self.pipeline(case, kind)
        xl, seed = hasattr(pipe, "text_encoder_2"), int(case["seed"])
        arguments = dict(
            prompt=case["prompt"], negative_prompt=case.get("negative"), num_inference_steps=case["steps"],
            guidance_scale=case["cfg"], eta=case.get("eta", 0.0), clip_skip=case.get("clip_skip"), output_type="np",
            generator=Philox(seed) if case.get("rng") == "cuda" else torch.Generator().manual_seed(seed))
        arguments |= {k: case[k] for k in ("guidance_rescale", "strength", "width", "height") if k in case}
        for ours, theirs in [("original_size", "original_size"), ("target_size", "target_size"),
                             ("crop", "crops_coords_top_left")]:
            if ours in case:
                arguments[theirs] = tuple(case[ours])
        if kind != "text":
            arguments["image"] = Image.open(self.images / case["init"]).convert("RGB")
        if kind == "mask":
            arguments["mask_image"] = Image.open(self.images / case["mask"])
            arguments["width"], arguments["height"] = arguments["image"].size
        accepted = inspect.signature(pipe.__call__).parameters
        unknown = [k for k, v in arguments.items() if k not in accepted and v not in (None, 0.0)]
        if unknown:
            raise ValueError(f"{type(pipe).__name__} has no {unknown}")
        return self.call(pipe, {k: v for k, v in arguments.items() if k in accepted}, case, kind, text and (2 if xl else 1))

    def call(self, pipe, arguments, case, kind, text):
        out, embeddings, steps = {}, [], []
        encode = pipe.encode_prompt

        def spy(*a, **k):
            embeddings.append(encode(*a, **k))
            return embeddings[-1]

        def step_end(_, i, t, state):
            steps.append(state["latents"][0].clone())
            return {}

        pipe.encode_prompt = spy
        try:
            with recorded_noise() as draws, text_model_attribute():
                picture = pipe(**arguments, callback_on_step_end=step_end).images[0]
        finally:
            del pipe.encode_prompt
        # Image to image draws the posterior's noise first; so does inpainting where it needs the known latents.
        plain = kind == "text" or kind == "mask" and pipe.unet.config.in_channels == 9 and case["strength"] == 1.0
        out["noise"] = draws[0 if plain else 1][0]
        keep = case.get("keep", range(len(steps)))
        out |= {f"latent.{i:03d}": steps[i] for i in keep}
        out["evaluations"] = torch.tensor([len(steps)], dtype=torch.int32)
        if text:
            names = ["text.cond", "text.uncond", "text.cond.pooled", "text.uncond.pooled"]
            out |= {n: x[0] for n, x in zip(names, embeddings[0]) if x is not None}
        out = {k: v.numpy() for k, v in out.items()}
        if not all(np.isfinite(v).all() for v in out.values()) or not np.isfinite(picture).all():
            raise ValueError("not finite")
        out["pixels"] = np.round(picture * 255).astype(np.uint8)
        return out
