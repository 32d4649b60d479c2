"""Goldens for the samplers: what diffusers' schedulers make of a network that is a formula.

Every case goes the way of a pipeline: the model's scheduler_config.json becomes its scheduler,
`from_config` turns that into the chosen one, and the loop scales, evaluates and steps. The network is
out = x / 4 + t / 1000 * pattern in float32, which the C test repeats to the bit.

Writes tests/parity/schedulers/cases.json and latents.bin: for each case in order and each evaluation
the timestep (f64) and the latents after the step (f32 x 16).

Cases with "rounded" run with sqrt, log, exp and expm1 rounded correctly. torch takes them from MKL,
which is off by a unit in the last place now and then, differently on different processors; where a
rule hangs on the last digit (a Brownian path over rounded sigmas, differences of near sigmas) only
these cases can be compared closely.

    python tools/parity/schedulers.py [OUTPUT_DIRECTORY]
"""

import contextlib
import inspect
import json
import pathlib
import sys
import warnings

import diffusers
import numpy as np
import torch

COUNT = 16
SHAPE = (1, 4, 2, 2)
PATTERN = torch.tensor([((i * 7) % 16 - 8) / 8 for i in range(COUNT)], dtype=torch.float32).reshape(SHAPE)
CLEAN = PATTERN * 2
MASK = torch.tensor([(i % 3) / 2 for i in range(COUNT)], dtype=torch.float32).reshape(SHAPE)

CLASSES = {
    "euler": "EulerDiscreteScheduler",
    "euler_ancestral": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "dpm_2": "KDPM2DiscreteScheduler",
    "dpm_2_ancestral": "KDPM2AncestralDiscreteScheduler",
    "lms": "LMSDiscreteScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler",
    "dpmpp_2m_sde": "DPMSolverMultistepScheduler",
    "dpmpp_2s": "DPMSolverSinglestepScheduler",
    "dpmpp_sde": "DPMSolverSDEScheduler",
    "uni_pc": "UniPCMultistepScheduler",
    "deis": "DEISMultistepScheduler",
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "pndm": "PNDMScheduler",
    "lcm": "LCMScheduler",
    "tcd": "TCDScheduler",
}
CURVES = {
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
}
NO_SAMPLE = {"euler_ancestral", "dpm_2", "dpm_2_ancestral", "dpmpp_sde", "pndm"}
BENT = [s for s in CLASSES if "use_karras_sigmas" in inspect.signature(getattr(diffusers, CLASSES[s])).parameters]
SPACED = [s for s in CLASSES if s not in ("dpmpp_2s", "lcm", "tcd")]
ZERO_SNR = [
    s for s in CLASSES if "rescale_betas_zero_snr" in inspect.signature(getattr(diffusers, CLASSES[s])).parameters
]

LATENT = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
CONFIGS = {
    # As Stable Diffusion 1.5 has it: no timestep_spacing.
    "sd1": {
        "_class_name": "PNDMScheduler",
        "_diffusers_version": "0.6.0",
        **LATENT,
        "clip_sample": False,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    },
    # As SDXL has it: leading, and keys of other classes.
    "xl": {
        "_class_name": "EulerDiscreteScheduler",
        **LATENT,
        "clip_sample": False,
        "interpolation_type": "linear",
        "prediction_type": "epsilon",
        "sample_max_value": 1.0,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "timestep_spacing": "leading",
        "trained_betas": None,
        "use_karras_sigmas": False,
    },
    # As Stable Diffusion 2.1 has it.
    "sd2": {
        "_class_name": "DDIMScheduler",
        **LATENT,
        "clip_sample": False,
        "prediction_type": "v_prediction",
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    },
}


def config(base, **changes):
    """A config derived from a named one: its name, put in CONFIGS."""
    name = base + "".join(f",{key}={value}" for key, value in changes.items())
    CONFIGS.setdefault(name, {**CONFIGS[base], **changes})
    return name


def bare(sampler, **changes):
    """A config that leaves everything to the class."""
    name = "bare " + CLASSES[sampler]
    CONFIGS[name] = {"_class_name": CLASSES[sampler]}
    return config(name, **changes)


def schedule_cases():
    for sampler in CLASSES:
        for schedule in ["model"] + (list(CURVES) if sampler in BENT else []):
            for steps in (1, 2, 5):
                yield {"config": "sd1", "sampler": sampler, "schedule": schedule, "steps": steps}
        yield {"config": "sd1", "sampler": sampler, "schedule": "model", "steps": 20}
        if sampler in BENT:
            yield {"config": "sd1", "sampler": sampler, "schedule": "karras", "steps": 16}
        if sampler in SPACED:
            yield {"config": "sd1", "sampler": sampler, "schedule": "sgm_uniform", "steps": 5}
            for spacing in ("leading", "linspace", "trailing"):
                yield {"config": "xl", "sampler": sampler, "spacing": spacing, "steps": 5}
                yield {"config": "xl", "sampler": sampler, "spacing": spacing, "steps": 7}
            if sampler in BENT:
                yield {"config": "xl", "sampler": sampler, "spacing": "leading", "schedule": "karras", "steps": 5}
                yield {"config": "xl", "sampler": sampler, "spacing": "trailing", "schedule": "beta", "steps": 5}
    for sampler in ("euler", "ddim", "dpmpp_2m"):  # one timestep too many, as numpy's arange has it
        yield {"config": "sd1", "sampler": sampler, "spacing": "trailing", "steps": 61}
    for steps in (48, 112):  # a half that arange's rounding tips over
        yield {"config": "sd1", "sampler": "ddim", "spacing": "trailing", "steps": steps}


def model_cases():
    for sampler in CLASSES:
        yield {"config": "sd2", "sampler": sampler, "steps": 5}
        if sampler not in NO_SAMPLE:
            yield {"config": config("sd1", prediction_type="sample"), "sampler": sampler, "steps": 5}
        yield {"config": bare(sampler), "sampler": sampler, "steps": 5}
        yield {"config": bare(sampler, beta_schedule="squaredcos_cap_v2"), "sampler": sampler, "steps": 5}
        yield {"config": bare(sampler, num_train_timesteps=100, steps_offset=1), "sampler": sampler, "steps": 5}
        if sampler in BENT:
            for curve in CURVES.values():
                yield {"config": config("sd1", **curve), "sampler": sampler, "steps": 4}
            yield {
                "config": bare(sampler, beta_schedule="squaredcos_cap_v2"),
                "sampler": sampler,
                "schedule": "karras",
                "steps": 5,
            }
            yield {"config": config("sd1", use_karras_sigmas=True), "sampler": sampler, "schedule": "uniform", "steps": 4}
    for sampler in ZERO_SNR:
        for steps in (1, 3, 5):
            zero = config("sd2", rescale_betas_zero_snr=True, timestep_spacing="trailing")
            yield {"config": zero, "sampler": sampler, "steps": steps}


def strength_cases():
    for sampler in CLASSES:
        for strength, steps in ((0.6, 5), (0.3, 7), (1.0, 3)):
            yield {"config": "sd1", "sampler": sampler, "steps": steps, "strength": strength}
        if sampler in BENT:
            yield {"config": "xl", "sampler": sampler, "schedule": "karras", "steps": 7, "strength": 0.58}
        yield {"config": "xl", "sampler": sampler, "steps": 4, "inpaint": True}
        yield {"config": "xl", "sampler": sampler, "steps": 5, "strength": 0.8, "inpaint": True}
    for sampler, etas in (("ddim", (0.5, 1.0)), ("tcd", (0.3, 1.0))):
        for eta in etas:
            for steps in (1, 4, 8):
                yield {"config": "sd1", "sampler": sampler, "steps": steps, "eta": eta}
        yield {"config": "sd2", "sampler": sampler, "steps": 6, "eta": 0.7, "strength": 0.5}


def solver_cases():
    for sampler in ("dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2s", "uni_pc", "deis"):
        for order in (1, 3):
            for steps in (2, 3, 4, 5, 16):
                yield {"config": config("sd1", solver_order=order), "sampler": sampler, "steps": steps}
        for final in (True, False):
            c = config("sd1", final_sigmas_type="sigma_min", lower_order_final=final)
            for steps in (4, 5):
                yield {"config": c, "sampler": sampler, "steps": steps}
            yield {"config": c, "sampler": sampler, "steps": 4, "schedule": "karras"}
    for sampler in ("dpmpp_2m", "uni_pc", "deis"):  # lower_order_final stops at 15
        c = config("sd1", final_sigmas_type="sigma_min", solver_order=3)
        for steps in (14, 15):
            yield {"config": c, "sampler": sampler, "steps": steps}
    for sampler in ("dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2s"):
        for order in (2, 3):
            c = config("sd1", solver_type="heun", solver_order=order)
            yield {"config": c, "sampler": sampler, "steps": 5}
            yield {"config": c, "sampler": sampler, "steps": 6}
        for steps in (5, 16):
            yield {"config": config("sd1", euler_at_final=True), "sampler": sampler, "steps": steps}
    for order in (1, 2, 3):
        c = config("sd1", algorithm_type="sde-dpmsolver++", solver_order=order)
        yield {"config": c, "sampler": "dpmpp_2s", "steps": 6}
        c = config("sd1", algorithm_type="sde-dpmsolver++", solver_order=order, solver_type="heun")
        yield {"config": c, "sampler": "dpmpp_2s", "steps": 6}
    for steps in (3, 5):
        for order in (2, 3):  # with a final sigma of zero, bh1 ends in not-a-number
            c = config("sd1", solver_type="bh1", solver_order=order, final_sigmas_type="sigma_min")
            yield {"config": c, "sampler": "uni_pc", "steps": steps}
    for sampler in ("euler", "euler_ancestral", "heun", "lms", "dpm_2", "deis"):  # only the first reads it
        yield {"config": config("sd1", final_sigmas_type="sigma_min"), "sampler": sampler, "steps": 5}
    for sampler in ("ddim", "ddpm", "lcm", "heun"):
        yield {"config": config("sd1", clip_sample=True, clip_sample_range=0.5), "sampler": sampler, "steps": 5}
    for sampler in ("ddim", "pndm"):
        yield {"config": config("sd1", set_alpha_to_one=True), "sampler": sampler, "steps": 5}
    for sampler in ("lcm", "tcd"):
        c = config("sd1", original_inference_steps=30, timestep_scaling=0.002)
        yield {"config": c, "sampler": sampler, "steps": 7}
    for steps, strength in ((4, None), (5, None), (10, None), (10, 0.9)):
        case = {"config": config("sd2", skip_prk_steps=False), "sampler": "pndm", "steps": steps}
        yield {**case, **({"strength": strength} if strength else {})}


def rounded_cases():
    for sampler in ("dpmpp_sde", "dpm_2_ancestral", "dpm_2", "euler", "heun", "lms"):
        for schedule in ["model"] + list(CURVES):
            for steps in (2, 5, 7):
                yield {"config": "sd1", "sampler": sampler, "schedule": schedule, "steps": steps}
        yield {"config": "xl", "sampler": sampler, "steps": 7}
        yield {"config": "sd1", "sampler": sampler, "steps": 7, "strength": 0.6}
    for steps in (16, 20):
        yield {"config": "sd2", "sampler": "dpmpp_sde", "schedule": "karras", "steps": steps}
    zero = config("sd2", rescale_betas_zero_snr=True, timestep_spacing="trailing")
    for sampler in ZERO_SNR:
        yield {"config": zero, "sampler": sampler, "steps": 5}


@contextlib.contextmanager
def rounded():
    """Elementary functions of float32 tensors by way of float64."""
    saved = [(o, n, getattr(o, n)) for o in (torch, torch.Tensor) for n in ("sqrt", "log", "exp", "expm1")]
    power = torch.Tensor.__pow__

    def through_double(function):
        return lambda x: function(x.double()).float() if x.dtype == torch.float32 else function(x)

    for owner, name, function in saved:
        setattr(owner, name, through_double(function))
    torch.Tensor.__pow__ = lambda x, e: x.sqrt() if e == 0.5 else power(x, e)
    try:
        yield
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)
        torch.Tensor.__pow__ = power


def scheduler_of(case, seed):
    model_config = CONFIGS[case["config"]]
    model = getattr(diffusers, model_config["_class_name"]).from_config(dict(model_config))
    changes, schedule, sampler = {}, case.get("schedule", "model"), case["sampler"]
    if schedule in CURVES or schedule == "uniform":
        for curve in CURVES.values():
            changes.update({key: False for key in curve})
        changes.update(CURVES.get(schedule, {}))
    if schedule == "sgm_uniform":
        changes["timestep_spacing"] = "trailing"
        changes.update({key: False for curve in CURVES.values() for key in curve})
    if "spacing" in case:
        changes["timestep_spacing"] = case["spacing"]
    if sampler in ("dpmpp_2m", "dpmpp_2m_sde"):
        changes["algorithm_type"] = "sde-dpmsolver++" if sampler == "dpmpp_2m_sde" else "dpmsolver++"
    if sampler == "dpmpp_sde":
        changes["noise_sampler_seed"] = seed
    wanted = getattr(diffusers, CLASSES[sampler])
    known = inspect.signature(wanted).parameters
    return wanted.from_config(model.config, **{k: v for k, v in changes.items() if k in known})


def network(x, t):
    return 0.25 * x + torch.tensor(float(t) / 1000, dtype=torch.float32) * PATTERN


def run(case, seed):
    scheduler = scheduler_of(case, seed)
    generator = torch.Generator().manual_seed(seed)
    scheduler.set_timesteps(case["steps"])
    timesteps = scheduler.timesteps
    noise = torch.randn(SHAPE, generator=generator)
    latents = noise * scheduler.init_noise_sigma
    if "strength" in case or case.get("inpaint"):
        strength = case.get("strength", 1.0)
        skipped = max(case["steps"] - min(int(case["steps"] * strength), case["steps"]), 0)
        timesteps = timesteps[skipped * scheduler.order :]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(skipped * scheduler.order)
        if "strength" in case:
            latents = scheduler.add_noise(CLEAN, noise, timesteps[:1])
    known = inspect.signature(scheduler.step).parameters
    extra = {k: v for k, v in {"eta": case.get("eta", 0.0), "generator": generator}.items() if k in known}
    record = []
    for i, t in enumerate(timesteps):
        out = network(scheduler.scale_model_input(latents, t), t)
        latents = scheduler.step(out, t, latents, **extra).prev_sample
        if case.get("inpaint"):
            proper = CLEAN
            if i + 1 < len(timesteps):
                proper = scheduler.add_noise(CLEAN, noise, torch.tensor([timesteps[i + 1]]))
            latents = (1 - MASK) * proper + MASK * latents
        assert latents.dtype == torch.float32
        if not torch.isfinite(latents).all():
            raise ArithmeticError(f"not finite after evaluation {i}")
        record.append((float(t), latents.numpy().ravel()))
    return record


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/parity/schedulers")
    target.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    diffusers.utils.logging.set_verbosity_error()
    torch.set_num_threads(1)
    cases = [*schedule_cases(), *model_cases(), *strength_cases(), *solver_cases()]
    cases += [{**case, "rounded": True} for case in rounded_cases()]
    lines, blob = [], bytearray()
    for number, case in enumerate(cases):
        seed = 1000 + number
        try:
            with rounded() if "rounded" in case else contextlib.nullcontext():
                record = run(case, seed)
        except (ArithmeticError, IndexError, ValueError) as e:  # no golden where diffusers has no answer
            print(f"left out: {case}: {e}")
            continue
        for t, latents in record:
            blob += np.float64(t).tobytes() + latents.astype("<f4").tobytes()
        lines.append(json.dumps({**case, "seed": seed, "evaluations": len(record)}, separators=(",", ":")))
    configs = ",\n".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in CONFIGS.items())
    text = "{\n\"configs\":{\n" + configs + "\n},\n\"cases\":[\n" + ",\n".join(lines) + "\n]}\n"
    (target / "cases.json").write_text(text)
    (target / "latents.bin").write_bytes(blob)
    print(f"{len(lines)} cases, {len(blob) // 72} evaluations, {len(text) + len(blob)} bytes")


if __name__ == "__main__":
    main()
