"""torch.randn on a CUDA device, in numpy: Philox4x32-10 and cuRAND's Box-Muller.

    g = Philox(seed)
    x = g.normal((1, 4, 64, 64))

Follows ATen/native/cuda/DistributionTemplates.h for tensors with no more elements than the card has
threads: element i is thread i's first number, and each call moves every thread's counter by one.
"""

import numpy as np

MULTIPLY = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)


def philox(counter, key):
    """counter: four uint32 arrays; key: two uint32. Salmon et al. 2011, ten rounds."""
    k0, k1 = np.uint32(key[0]), np.uint32(key[1])
    a, b, c, d = counter
    for _ in range(10):
        p0, p1 = a.astype(np.uint64) * MULTIPLY[0], c.astype(np.uint64) * MULTIPLY[1]
        high0, low0 = (p0 >> np.uint64(32)).astype(np.uint32), p0.astype(np.uint32)
        high1, low1 = (p1 >> np.uint64(32)).astype(np.uint32), p1.astype(np.uint32)
        a, b, c, d = high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0
        k0, k1 = k0 + WEYL[0], k1 + WEYL[1]
    return a, b, c, d


class Philox:
    def __init__(self, seed):
        self.key, self.calls = (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF), 0

    def normal(self, shape):
        n = int(np.prod(shape))
        thread, zero = np.arange(n, dtype=np.uint32), np.zeros(n, dtype=np.uint32)
        with np.errstate(over="ignore"):
            x, y, _, _ = philox((zero + np.uint32(self.calls), zero, thread, zero), self.key)
        self.calls += 1
        scale = np.float32(2.0**-32)
        turn = np.float32(2.0**-32 * 2 * np.pi)
        u = x.astype(np.float32) * scale + scale / np.float32(2)
        v = y.astype(np.float32) * turn + turn / np.float32(2)
        return (np.sqrt(np.float32(-2) * np.log(u)) * np.sin(v)).reshape(shape)


if __name__ == "__main__":
    for seed, want in [(0, [-0.924663, -0.425344, -2.643846, 0.145184]), (42, [0.194019, 2.161374, -0.172051, 0.849060])]:
        got = Philox(seed).normal(4)
        if abs(got - want).max() > 1e-6:
            raise SystemExit(f"seed {seed}: {got} instead of {want}")
