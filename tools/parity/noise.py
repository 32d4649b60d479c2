"""Golden noise: torch.randn in several calls of several sizes, for tests/unit/engine_sampling_noise.c.

Writes tests/parity/schedulers/noise.bin and prints the hash of a second latent of 4 x 64 x 64. Also
brownian.bin: increments of torchsde's BrownianInterval as diffusers asks for them.

    python tools/parity/noise.py [OUTPUT_DIRECTORY]
"""

import pathlib
import sys

import numpy as np
import torch
import torchsde

SIZES = [1, 2, 3, 15, 16, 17, 31, 100, 4 * 9 * 9, 1, 3, 64, 1]
SEEDS = [0, 42, 2**32 + 1, 2**63, -1]
QUERIES = [(0.03, 14.614642), (7.3, 14.61), (1.2345678, 7.3), (0.0291675, 0.5), (3.0078125, 3.1), (0.5, 1.2345678)]


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


def main():
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "tests/parity/schedulers")
    with open(target / "noise.bin", "wb") as f:
        for seed in SEEDS:
            generator = torch.Generator().manual_seed(seed)
            for size in SIZES:
                f.write(torch.randn(size, generator=generator).numpy().tobytes())
    generator = torch.Generator().manual_seed(7)
    for _ in range(2):
        latent = torch.randn(4 * 64 * 64, generator=generator)
    print(f"{fnv1a(latent.numpy().tobytes()):#x}")
    with open(target / "brownian.bin", "wb") as f:
        for seed in (0, 5, 2**32 + 5, 2**63):
            path = torchsde.BrownianInterval(
                t0=0.0291675, t1=14.614642, size=(16,), dtype=torch.float32, entropy=seed, tol=1e-6, pool_size=24,
                halfway_tree=True,
            )
            for start, end in QUERIES:
                f.write(path(start, end).numpy().astype(np.float32).tobytes())


if __name__ == "__main__":
    main()
