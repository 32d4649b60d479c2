"""The parity cases: what is drawn, in the words of `cauldron generate`. A key that is absent is a default.

    for case in cases.cases(["sd1", "demo"]): ...

Further keys: scheduler_config replaces the model's scheduler_config.json; keep lists the steps whose
latents are stored (all when absent); text asks for the text embeddings; original_size, target_size and
crop are [height, width] and [top, left].
"""

from reference import schedules

LONG = ("a very long prompt about a red circle left of a blue square, an orange star above a green heart, "
        "a purple ring below a yellow cross, and then, because nobody counts, " + "one more pink diamond, " * 12 + "the end")
PROMPTS = ["a red circle left of a blue square", "two green stars on navy", "a cat, 3 dogs & 12 ducks!", "x"]

# What 2022's configs say, and no more.
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def config(name, **more):
    return {"_class_name": name + "Scheduler", **BETAS, **more}


def case(model, name, **options):
    full = {"name": f"{model}-{name}", "model": model, "prompt": PROMPTS[0], "seed": "7", "steps": 4, "cfg": 4.0}
    full |= options
    return {k: v for k, v in full.items() if v is not None}


NON_SQUARE = dict(width=40, height=56)


def sd1():
    m = "sd1"
    samplers = ["euler", "ddim", "euler_ancestral", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpmpp_2m", "dpmpp_2m_sde",
                "dpmpp_2s", "dpmpp_sde", "uni_pc", "deis", "ddpm", "pndm", "lcm", "tcd"]
    yield case(m, "plain", text=True)
    yield case(m, "euler-text", sampler="euler", text=True, negative="blurry", seed="42")
    for i, s in enumerate(samplers):
        size = {} if i < 2 else NON_SQUARE
        yield case(m, s, sampler=s, steps=5, prompt=PROMPTS[i % 4], seed=str(i), **size)
        for schedule in schedules(s):
            if schedule in ("karras", "sgm_uniform"):
                yield case(m, f"{s}-{schedule}", sampler=s, schedule=schedule, steps=4, seed=str(100 + i), **NON_SQUARE)
    for s in ("euler", "dpmpp_2m", "ddim"):
        for spacing in ("leading", "linspace", "trailing"):
            yield case(m, f"{s}-{spacing}", sampler=s, spacing=spacing, steps=6, **NON_SQUARE)
    for s, spacing in [("heun", "leading"), ("lms", "leading"), ("dpm_2", "leading"), ("dpm_2_ancestral", "trailing"),
                       ("euler_ancestral", "leading"), ("uni_pc", "leading"), ("deis", "trailing"), ("ddpm", "linspace"),
                       ("ddpm", "trailing"), ("pndm", "linspace"), ("pndm", "trailing"), ("dpmpp_2m_sde", "trailing"),
                       ("uni_pc", "linspace"), ("dpmpp_sde", "leading")]:
        yield case(m, f"{s}-{spacing}", sampler=s, spacing=spacing, steps=3, seed="11", **NON_SQUARE)

    # guidance, negative prompts, clip skip, eta
    yield case(m, "cfg-1", sampler="ddim", cfg=1.0, negative="never read", text=True)
    yield case(m, "cfg-half", sampler="ddim", cfg=0.5)
    yield case(m, "cfg-7.5-negative", sampler="ddim", cfg=7.5, negative="ugly, blurry")
    yield case(m, "negative-empty", sampler="ddim", negative="")
    yield case(m, "guidance-rescale", sampler="ddim", cfg=7.5, guidance_rescale=0.7)
    yield case(m, "clip-skip-1", sampler="ddim", clip_skip=1, text=True)
    yield case(m, "eta-1", sampler="ddim", eta=1.0)
    yield case(m, "eta-half", sampler="ddim", eta=0.5, steps=5)
    yield case(m, "tcd-eta", sampler="tcd", eta=0.3)

    # seeds, counts, sizes
    yield case(m, "seed-2^32+1", sampler="euler", seed=str(2**32 + 1))
    yield case(m, "seed-2^63", sampler="euler", seed=str(2**63))
    yield case(m, "seed-minus-1", sampler="euler_ancestral", seed="-1")
    yield case(m, "count-3", sampler="euler_ancestral", count=3, steps=3, **NON_SQUARE)
    yield case(m, "wide", sampler="euler", width=96, height=72)
    yield case(m, "smallest", sampler="euler_ancestral", width=16, height=8)
    yield case(m, "tall-24x136", sampler="ddim", width=24, height=136)

    # text
    yield case(m, "prompt-long", sampler="ddim", prompt=LONG, text=True, steps=2)
    yield case(m, "prompt-empty", sampler="ddim", prompt="", steps=2)
    yield case(m, "prompt-unicode", sampler="ddim", prompt="  Ein  Bär\u00a0(im Öl:1.3), \u200bİstanbul 東京 🐈‍⬛ n\u0303 <|endoftext|> ok ",
               text=True, steps=2)

    # one step, many steps
    for s in ("euler", "dpmpp_2m", "dpmpp_2s", "ddim", "pndm", "heun", "dpmpp_sde", "uni_pc", "lcm"):
        yield case(m, f"{s}-1-step", sampler=s, steps=1, **NON_SQUARE)
    yield case(m, "pndm-12", sampler="pndm", steps=12, keep=[0, 4, 12], **NON_SQUARE)
    yield case(m, "dpmpp_2m-20", sampler="dpmpp_2m", steps=20, keep=[9, 19], **NON_SQUARE)
    yield case(m, "ddim-trailing-61", sampler="ddim", spacing="trailing", steps=61, keep=[0, 60], cfg=1.5, **NON_SQUARE)

    # noise of a GPU
    yield case(m, "rng-cuda", sampler="euler_ancestral", rng="cuda", seed="42")
    yield case(m, "rng-cuda-big-seed", sampler="ddim", rng="cuda", seed=str(2**40 + 9), count=2, steps=2, **NON_SQUARE)

    # scheduler configs
    yield case(m, "config-ddim-short", scheduler_config=config("DDIM"), **NON_SQUARE)
    yield case(m, "config-ddim-then-ddpm", scheduler_config=config("DDIM"), sampler="ddpm", **NON_SQUARE)
    yield case(m, "config-ddim-then-euler", scheduler_config=config("DDIM", timestep_spacing="trailing"), sampler="euler", **NON_SQUARE)
    corrected = config("DDIM", clip_sample=True, steps_offset=0)
    yield case(m, "config-ddim-corrected", scheduler_config=corrected, **NON_SQUARE)
    yield case(m, "config-ddim-corrected-then-ddpm", scheduler_config=corrected, sampler="ddpm", **NON_SQUARE)
    yield case(m, "config-mask-not-corrected", scheduler_config=corrected, init="init-40x56.png", mask="mask-40x56.png", strength=1.0)
    yield case(m, "config-pndm-runge-kutta", scheduler_config=config("PNDM", steps_offset=1), steps=5, keep=[0, 6, 12, 13], **NON_SQUARE)
    yield case(m, "config-linear-betas", scheduler_config=config("DDIM", beta_schedule="linear", clip_sample=False), **NON_SQUARE)
    yield case(m, "config-cosine-betas", scheduler_config=config("DPMSolverMultistep", beta_schedule="squaredcos_cap_v2"), **NON_SQUARE)
    yield case(m, "config-dpm-heun", scheduler_config=config("DPMSolverMultistep", solver_type="heun", steps_offset=1), steps=5, **NON_SQUARE)
    yield case(m, "config-dpm-order-3", scheduler_config=config("DPMSolverMultistep", solver_order=3, steps_offset=1), steps=6, **NON_SQUARE)
    yield case(m, "config-dpm-euler-at-final", scheduler_config=config(
        "DPMSolverMultistep", euler_at_final=True, lower_order_final=False, final_sigmas_type="sigma_min", use_karras_sigmas=True), **NON_SQUARE)
    yield case(m, "config-dpm-sde", scheduler_config=config("DPMSolverMultistep", algorithm_type="sde-dpmsolver++"), **NON_SQUARE)
    yield case(m, "config-karras-then-uniform", scheduler_config=config("EulerDiscrete", use_karras_sigmas=True),
               schedule="uniform", **NON_SQUARE)
    yield case(m, "config-karras-then-heun", scheduler_config=config("EulerDiscrete", use_karras_sigmas=True),
               sampler="heun", **NON_SQUARE)
    yield case(m, "config-unipc-bh1", scheduler_config=config("UniPCMultistep", solver_type="bh1", final_sigmas_type="sigma_min"), steps=5, **NON_SQUARE)
    yield case(m, "config-deis-order-1", scheduler_config=config("DEISMultistep", solver_order=1), **NON_SQUARE)

    # image to image, inpainting on four channels
    yield case(m, "image-0.3", sampler="euler", init="init-64x64.png", strength=0.3, steps=10)
    yield case(m, "image-0.58", sampler="ddim", init="init-64x64.png", strength=0.58, steps=50, keep=[0, 13, 27], cfg=2.0)
    yield case(m, "image-pndm", init="init-64x64.png", strength=0.6, steps=6)
    for s in ("heun", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "euler_ancestral", "ddpm", "dpm_2_ancestral", "lcm", "deis"):
        yield case(m, f"image-{s}", sampler=s, init="init-40x56.png", strength=0.5, steps=6, seed="3")
    yield case(m, "image-rounded-size", sampler="euler", init="init-70x61.png", strength=0.5, steps=4)
    yield case(m, "image-full-strength", sampler="euler", init="init-40x56.png", strength=1.0, steps=3)
    yield case(m, "image-count-2", sampler="ddim", init="init-40x56.png", strength=0.5, steps=4, count=2)
    yield case(m, "image-rng-cuda", sampler="euler_ancestral", init="init-40x56.png", strength=0.5, steps=4, rng="cuda")
    yield case(m, "mask-euler", sampler="euler", init="init-64x64.png", mask="mask-64x64.png", strength=1.0)
    yield case(m, "mask-ddim-0.6", sampler="ddim", init="init-64x64.png", mask="mask-64x64.png", strength=0.6, steps=6)
    yield case(m, "mask-heun-0.5", sampler="heun", init="init-40x56.png", mask="mask-40x56.png", strength=0.5, steps=4)


def sd2v():
    m = "sd2-v"
    yield case(m, "plain", text=True, negative="")
    yield case(m, "plain-odd-size", width=72, height=40, cfg=7.5)
    yield case(m, "clip-skip-2", clip_skip=2, text=True)
    for i, s in enumerate(["euler", "euler_ancestral", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpmpp_2m", "dpmpp_2m_sde",
                           "dpmpp_2s", "dpmpp_sde", "uni_pc", "deis", "ddpm", "pndm", "lcm", "tcd"]):
        yield case(m, s, sampler=s, prompt=PROMPTS[i % 4], seed=str(20 + i))
        for schedule in schedules(s):
            if schedule in ("exponential", "beta"):
                steps = 6 if s == "dpmpp_sde" else 5  # see README.md on its Brownian path
                yield case(m, f"{s}-{schedule}", sampler=s, schedule=schedule, steps=steps, cfg=2.0, seed=str(i))
    zero = config("DDIM", prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing",
                  clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    for s in ("ddim", "ddpm", "euler", "euler_ancestral", "dpmpp_2m", "dpmpp_2m_sde", "uni_pc", "lcm", "tcd"):
        yield case(m, f"zero-snr-{s}", scheduler_config=zero, sampler=s, guidance_rescale=0.7, steps=3)
    yield case(m, "zero-snr-ddim-50", scheduler_config=zero, steps=50, keep=[0, 49], cfg=2.0)
    yield case(m, "zero-snr-dpmpp_2m-karras", scheduler_config=zero, sampler="dpmpp_2m", schedule="karras")
    sample = config("DDIM", prediction_type="sample", clip_sample=False, steps_offset=1)
    for s in ("ddim", "ddpm", "euler", "lms", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_2s", "uni_pc", "deis", "lcm", "tcd"):
        yield case(m, f"sample-{s}", scheduler_config=sample, sampler=s, steps=4)
    yield case(m, "image", init="init-40x56.png", strength=0.7)
    yield case(m, "mask", sampler="dpmpp_2m", init="init-40x56.png", mask="mask-40x56.png", strength=0.8, steps=5)


def sdxl():
    m = "sdxl"
    yield case(m, "plain", text=True, cfg=5.0)
    yield case(m, "negative-empty", text=True, negative="", steps=2)
    yield case(m, "negative-text", negative="blurry", steps=3)
    yield case(m, "cfg-1", cfg=1.0, text=True, steps=2)
    yield case(m, "clip-skip-1", clip_skip=1, text=True, steps=2)
    yield case(m, "micro-conditioning", original_size=[512, 768], crop=[16, 40], target_size=[96, 72], width=72, height=96)
    yield case(m, "guidance-rescale", guidance_rescale=0.5, cfg=9.0, steps=3)
    yield case(m, "prompt-long", prompt=LONG, text=True, steps=2, **NON_SQUARE)
    yield case(m, "prompt-end-token", prompt="a <|endoftext|> b", text=True, steps=2, **NON_SQUARE)
    yield case(m, "count-2", sampler="euler_ancestral", count=2, steps=3, **NON_SQUARE)
    for s, schedule in [("euler", "karras"), ("dpmpp_2m", "karras"), ("dpmpp_2m_sde", "exponential"), ("heun", "beta"),
                        ("uni_pc", "beta"), ("euler", "exponential"), ("ddim", "sgm_uniform"), ("dpmpp_2s", "beta"),
                        ("dpmpp_2m_sde", "karras"), ("lms", "exponential")]:
        yield case(m, f"{s}-{schedule}", sampler=s, schedule=schedule, steps=4, **NON_SQUARE)
    for s in ("lcm", "tcd", "ddpm", "pndm", "dpm_2", "deis"):
        yield case(m, s, sampler=s, steps=3, **NON_SQUARE)
    yield case(m, "config-short-ddim", scheduler_config=config("DDIM"), steps=3, **NON_SQUARE)  # nothing is corrected here
    yield case(m, "config-short-ddim-clip-range", scheduler_config=config("DDIM", clip_sample_range=2.0), steps=3, **NON_SQUARE)
    yield case(m, "image", init="init-64x64.png", strength=0.5, steps=6)
    yield case(m, "image-dpmpp_2m", sampler="dpmpp_2m", schedule="karras", init="init-40x56.png", strength=0.45, steps=8)
    yield case(m, "mask", init="init-64x64.png", mask="mask-64x64.png", strength=0.7, steps=5)


def inpainting():
    m, images = "inpainting", dict(init="init-64x64.png", mask="mask-64x64.png")
    yield case(m, "plain", strength=1.0, text=True, **images)
    yield case(m, "euler-0.6", sampler="euler", strength=0.6, steps=6, negative="blurry", **images)
    yield case(m, "ddim-cfg-1", sampler="ddim", strength=1.0, cfg=1.0, **images)
    yield case(m, "dpm_2_ancestral", sampler="dpm_2_ancestral", strength=1.0, steps=3, **images)
    yield case(m, "dpmpp_2m-karras-0.75", sampler="dpmpp_2m", schedule="karras", strength=0.75, init="init-40x56.png", mask="mask-40x56.png")
    yield case(m, "soft-mask-other-size", sampler="ddim", strength=1.0, steps=3, init="init-40x56.png", mask="mask-64x64.png")
    yield case(m, "count-2", sampler="euler_ancestral", strength=1.0, count=2, steps=3, init="init-40x56.png", mask="mask-40x56.png")


def single_sd1():
    m = "single-sd1"
    yield case(m, "plain", text=True)
    yield case(m, "euler-long", sampler="euler", prompt=LONG, negative="low quality, 8k, (bad:1.2)", text=True, **NON_SQUARE)
    yield case(m, "odd-size", sampler="dpmpp_2m", schedule="karras", width=96, height=72)
    yield case(m, "image", sampler="ddim", init="init-40x56.png", strength=0.6, steps=5)


def single_xl():
    m = "single-xl"
    yield case(m, "plain", text=True, negative="blurry")
    yield case(m, "no-negative", text=True, prompt="Ünïcode, emoji 🎨 and 42 numbers", steps=3, **NON_SQUARE)
    yield case(m, "odd-size", sampler="dpmpp_2m_sde", schedule="karras", width=72, height=96, steps=3)
    yield case(m, "image", sampler="uni_pc", init="init-64x64.png", strength=0.6, steps=5, cfg=1.0)


def demo(m="demo"):
    yield case(m, "plain", text=True, prompt="a red circle left of a blue square", seed="7", steps=8)
    yield case(m, "ddim-20", sampler="ddim", prompt="three green stars on white", steps=20, keep=[0, 9, 19], cfg=3.0)
    yield case(m, "dpmpp_2m-karras", sampler="dpmpp_2m", schedule="karras", prompt="a big pink heart above a small gray ring",
               negative="a square", steps=8, keep=[0, 3, 7])
    yield case(m, "euler_ancestral", sampler="euler_ancestral", prompt="two yellow triangles on navy", steps=6, seed="123", count=2,
               width=64, height=96)
    yield case(m, "uni_pc-odd-size", sampler="uni_pc", prompt="a purple diamond", width=72, height=104, steps=6, cfg=5.0)
    yield case(m, "image", sampler="euler", init="init-64x64.png", strength=0.6, prompt="an orange cross on sky", steps=10)
    yield case(m, "mask", init="init-64x64.png", mask="mask-64x64.png", strength=1.0, prompt="a green ring", steps=6)
    yield case(m, "cfg-1", sampler="heun", prompt="a cyan circle below a red star", cfg=1.0, steps=4, width=64, height=64)


def demo_xl():
    yield from demo("demo-xl")
    yield case("demo-xl", "micro-conditioning", original_size=[64, 64], crop=[0, 24], target_size=[128, 128], steps=6,
               prompt="a blue square on cream", negative="")


MODELS = {"sd1": sd1, "sd2-v": sd2v, "sdxl": sdxl, "inpainting": inpainting, "single-sd1": single_sd1,
          "single-xl": single_xl, "demo": demo, "demo-xl": demo_xl}


def cases(models):
    for name in models:
        yield from MODELS[name]()
