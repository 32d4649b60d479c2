"""Writes src/engine/text/clip_merges.bin: CLIP's merge rules as pairs of ids (see clip_merges.h).

    pip install open_clip_torch                  # carries OpenAI's bpe_simple_vocab_16e6.txt.gz (MIT)
    python tools/parity/clip_merges.py > src/engine/text/clip_merges.bin
"""

import struct
import sys

from vocabulary import standard_merges, vocabulary

merges = standard_merges()
vocab = vocabulary(merges)
for i, (left, right) in enumerate(merges):
    assert vocab[left + right] == 512 + i and max(vocab[left], vocab[right]) < 512 + i
    sys.stdout.buffer.write(struct.pack("<HH", vocab[left], vocab[right]))
