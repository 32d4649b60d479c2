"""Goldens for the kernels: what torch and diffusers make of random numbers.

One safetensors file, tensors named CASE.ARGUMENT; activations channels last, weights as in a
checkpoint. tests/unit/engine_kernels.c has the same cases with the same arguments.

    python tools/parity/kernel_goldens.py [tests/unit/data/kernels.safetensors]
"""

import pathlib
import sys

import torch
import torch.nn.functional as F
from diffusers.models.activations import GEGLU
from safetensors.torch import save_file
from transformers.activations import QuickGELUActivation

out = {}


def put(case, **tensors):
    for name, t in tensors.items():
        t = t.detach().clone().contiguous()
        out[f"{case}.{name}"] = t if t.dtype == torch.float16 else t.float()


def last(x):
    """NCHW to NHWC."""
    return x.permute(0, 2, 3, 1)


def linear():
    x, w, b, r = torch.randn(2, 5, 24), torch.randn(20, 24) / 5, torch.randn(20), torch.randn(2, 5, 20)
    put("linear", x=x, w=w, b=b, r=r, y=F.silu(F.linear(x, w, b)) + r)

    layer = GEGLU(24, 18)
    put("geglu", x=x, w=layer.proj.weight, b=layer.proj.bias, y=layer(x))


def conv():
    x, b = torch.randn(2, 12, 9, 7), torch.randn(10)
    w = torch.randn(10, 12, 3, 3) / 10
    put("conv", x=last(x), w=w, b=b, y=last(F.conv2d(x, w, b, padding=1)))
    put("conv_down", x=last(x), w=w, b=b, y=last(F.conv2d(x, w, b, stride=2, padding=1)))
    # AutoencoderKL's Downsample2D: a row below, a column on the right
    put("conv_corner", x=last(x), w=w, b=b, y=last(F.conv2d(F.pad(x, (0, 1, 0, 1)), w, b, stride=2)))
    up = F.interpolate(x, scale_factor=2.0, mode="nearest")
    put("conv_up", x=last(x), w=w, b=b, y=last(F.conv2d(up, w, b, padding=1)))
    # large and wide enough for every way of computing it
    x, w = torch.randn(1, 64, 24, 24), torch.randn(64, 64, 3, 3) / 24
    b = torch.randn(64)
    put("conv_large", x=last(x).half(), w=w.half(), b=b,
        y=last(F.conv2d(x.half().float(), w.half().float(), b, padding=1))[:, ::3, ::3])


def attention():
    for case, dim, nq, nk, causal in (("attention", 40, 30, 77, False), ("attention_causal", 32, 77, 77, True)):
        q, k, v = (torch.randn(2, 2, n, dim).half() for n in (nq, nk, nk))
        y = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=causal)
        put(case, **{n: t.transpose(1, 2).flatten(2) for n, t in (("q", q), ("k", k), ("v", v), ("y", y))})


def norms():
    x = torch.randn(2, 12, 5, 3) * 3 + 1
    w, b = torch.randn(12), torch.randn(12)
    put("group_norm", x=last(x), w=w, b=b, y=last(F.silu(F.group_norm(x, 4, w, b, eps=1e-5))))
    x = torch.randn(6, 37) * 2 - 1
    w, b = torch.randn(37), torch.randn(37)
    put("layer_norm", x=x, w=w, b=b, y=F.layer_norm(x, (37,), w, b, eps=1e-5))


def elementwise():
    x = torch.linspace(-12, 12, 211)
    put("silu", x=x, y=F.silu(x))
    put("gelu", x=x, y=F.gelu(x.double()))  # in f32 torch cancels below zero
    put("quick_gelu", x=x, y=QuickGELUActivation()(x))
    x = torch.randn(1, 3, 5, 7)
    put("resize", x=last(x), y=last(F.interpolate(x, size=(11, 9), mode="nearest")))


torch.manual_seed(0)
with torch.no_grad():
    for group in (linear, conv, attention, norms, elementwise):
        group()
path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/unit/data/kernels.safetensors")
save_file(out, path)
print(f"{path}: {len(out)} tensors, {path.stat().st_size} bytes")
