"""What diffusers' AutoencoderTiny makes of fixed latents with fixed weights: the golden of tests/unit/engine_taesd.c.

    python taesd.py        writes ../../tests/unit/data/taesd.bin: the picture [32][32][3] in f32

Weights and latents come from one generator that both sides run, so the 1.2 million numbers need not be stored.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny


class Numbers:
    """x' = 1664525 x + 1013904223 mod 2^32; the upper 24 bits as -1 .. 1."""

    def __init__(self):
        self.state = 1

    def draw(self, count):
        out = np.empty(count, np.float32)
        for i in range(count):
            self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
            out[i] = np.float32(self.state >> 8) / np.float32(1 << 23) - np.float32(1)
        return out


def main():
    decoder = AutoencoderTiny().decoder
    numbers = Numbers()
    latents = numbers.draw(4 * 4 * 4).reshape(4, 4, 4) * np.float32(2)
    with torch.no_grad():
        for p in decoder.parameters():  # in the order of the layers: weight, then bias
            scale = np.float32(1.5) / np.sqrt(np.float32(p[0].numel())) if p.dim() > 1 else np.float32(0.1)
            p.copy_(torch.from_numpy(numbers.draw(p.numel()).reshape(p.shape) * scale))
        x = torch.tanh(torch.from_numpy(latents)[None] / 3) * 3
        picture = decoder.layers(x)[0].permute(1, 2, 0).contiguous().numpy()
    assert 0.1 < picture.std() < 10, picture.std()
    (Path(__file__).parents[2] / "tests/unit/data/taesd.bin").write_bytes(picture.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
