"""How long diffusers (PyTorch, oneDNN) takes on this machine, as JSON on stdout.

    python diffusers_bench.py /big/disk/sd15 --size 512 [--dtypes f32,bf16] [--threads 2] [--repeat 3]

For each dtype, in a process of its own: load time, text encoding, one guided step of the U-Net (a batch of
two), VAE decode, peak resident memory. Times are medians after one warm-up. Folders with the published shapes
and random weights come from tools/parity/random_model.py.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time


def timed(call, repeat):
    call()
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return {"median_s": round(statistics.median(times), 4), "min_s": round(min(times), 4)}


def peak_mb():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(options, dtype):
    import warnings

    warnings.filterwarnings("ignore")
    import diffusers
    import torch
    import transformers
    from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel  # noqa: F401
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer  # noqa: F401 (loading shall not wait for imports)

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    imported = peak_mb()
    start = time.perf_counter()
    pipe = diffusers.DiffusionPipeline.from_pretrained(options.folder, torch_dtype=kind, local_files_only=True)
    result = {"program": "diffusers", "version": diffusers.__version__, "torch": torch.__version__, "dtype": dtype,
              "size": options.size, "threads": options.threads, "load_s": round(time.perf_counter() - start, 3)}
    if options.channels_last:
        pipe.unet.to(memory_format=torch.channels_last)
        pipe.vae.to(memory_format=torch.channels_last)

    xl = hasattr(pipe, "text_encoder_2")
    arguments = dict(prompt="a red circle left of a blue square", negative_prompt="blurry", device="cpu",
                     num_images_per_prompt=1, do_classifier_free_guidance=True)
    result["text"] = timed(lambda: pipe.encode_prompt(**arguments), options.repeat)
    encoded = pipe.encode_prompt(**arguments)
    context = torch.cat([encoded[1], encoded[0]])
    more = {}
    if xl:
        ids = torch.tensor([[options.size, options.size, 0, 0, options.size, options.size]] * 2, dtype=kind)
        more["added_cond_kwargs"] = {"text_embeds": torch.cat([encoded[3], encoded[2]]), "time_ids": ids}
    side = options.size // pipe.vae_scale_factor
    latents = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(0)).to(kind)
    pair = torch.cat([latents] * 2)
    result["guided_step"] = timed(
        lambda: pipe.unet(pair, 500, encoder_hidden_states=context, return_dict=False, **more), options.repeat)
    result["peak_mb_after_unet"] = peak_mb()
    if not options.no_vae:
        result["vae_decode"] = timed(lambda: pipe.vae.decode(latents / pipe.vae.config.scaling_factor), options.repeat)
    result |= {"peak_mb": peak_mb(), "peak_mb_of_imports": imported}
    return result


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder")
    options.add_argument("--size", type=int, required=True, help="pixels, both ways")
    options.add_argument("--dtypes", default="f32,bf16")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--channels-last", action="store_true")
    options.add_argument("--no-vae", action="store_true")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.one:
        print(json.dumps(measure(options, options.one)))
        return
    results = []
    for dtype in options.dtypes.split(","):
        environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
        done = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--one", dtype], env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        results.append(json.loads(done.stdout.strip().split("\n")[-1]))
    json.dump(results, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
