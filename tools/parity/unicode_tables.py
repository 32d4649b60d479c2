"""Writes src/engine/text/unicode_tables.h: what the tokenizer must know about Unicode.

    pip install tokenizers==0.23.3 unicodedata2
    python tools/parity/unicode_tables.py > src/engine/text/unicode_tables.h

The reference mixes three versions of Unicode: its normaliser knows Unicode 9, its regular expressions Unicode 16, its
lower case Unicode 17. All tables are therefore asked from the reference itself, character by character.
"""

import unicodedata2
from tokenizers import Regex, normalizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
nfc = normalizers.NFC().normalize_str
lower = normalizers.Lowercase().normalize_str


def members(pattern):
    replace = normalizers.Replace(Regex(pattern), "\0\0").normalize_str
    return [c for c in POINTS if replace(chr(c)) == "\0\0"]


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def lower_runs():
    runs = []
    for c in POINTS:
        text = lower(chr(c))
        if len(text) != 1 or ord(text) == c:
            assert len(text) == 1 or c == 0x130, hex(c)
            continue
        delta, last = ord(text) - c, runs[-1] if runs else None
        if last and last[3] == delta and (c - last[1] == last[2] or (last[0] == last[1] and c - last[1] <= 2)):
            last[1], last[2] = c, c - last[1]
        else:
            runs.append([c, c, 1, delta])
    return runs


def inert():
    """Characters newer than the reference's normaliser: it neither reorders nor composes them."""
    out, used = set(), set()
    pairs = [(c, unicodedata2.decomposition(chr(c)).split()) for c in POINTS if not 0xAC00 <= c <= 0xD7A3]
    pairs = [(c, [int(x, 16) for x in d]) for c, d in pairs if d and not d[0].startswith("<")]
    known = [(c, d) for c, d in pairs if nfc(chr(c)) != chr(c) or nfc("".join(map(chr, d))) == chr(c)]
    for c, d in known:
        used.update([c, *d])
    for c, d in pairs:
        if (c, d) not in known:
            out.update({c, *d} - used)
    for c in POINTS:
        combining = unicodedata2.combining(chr(c))
        if combining and combining != 240 and nfc("a\u0345" + chr(c)) == "a\u0345" + chr(c):
            out.add(c)
    return out


def table(declaration, rows, comment):
    print(f"\n/* {comment} */\n{declaration} = {{")
    line = "   "
    for row in rows:
        cell = " {" + ", ".join(row) + "},"
        if len(line) + len(cell) > 100:
            print(line)
            line = "   "
        line += cell
    print(line + "\n};")


def hexes(pairs):
    return [[f"{x:#x}" for x in pair] for pair in pairs]


print("/* unicode_tables.h: written by tools/parity/unicode_tables.py; private to unicode.c. */")
print("#ifndef ENGINE_UNICODE_TABLES_H\n#define ENGINE_UNICODE_TABLES_H\n\n#include <stdint.h>\n")
print("/* clang-format off */\n\nstruct range {\n    uint32_t first, last;\n};\n")
print("/* Every step-th character from first to last has its lower case delta further on. */")
print("struct lower_run {\n    uint32_t first, last, step;\n    int32_t delta;\n};")
table("static const struct range letters[]", hexes(ranges(members(r"\p{L}"))), r"\p{L}")
table("static const struct range numbers[]", hexes(ranges(members(r"\p{N}"))), r"\p{N}")
table("static const struct range spaces[]", hexes(ranges(members(r"\s"))), r"\s")
table("static const struct range inert[]", hexes(ranges(inert())),
      "Characters that newer versions of Unicode normalise and the reference does not.")
table("static const struct lower_run lower_runs[]",
      [[f"{a:#x}", f"{b:#x}", str(s), str(d)] for a, b, s, d in lower_runs()],
      "Lower case of one character each; U+0130 alone becomes two.")
print("\n/* clang-format on */\n\n#endif")
