"""Goldens of the tokenizer: prompts and the ids that transformers' CLIPTokenizer gives them.

    pip install transformers==5.23.0 open_clip_torch
    python tools/parity/tokenizer.py tests/parity/tokenizer

Writes, for each of four vocabularies, NAME.txt.gz: one line per case, a JSON string, a tab, and the ids without start,
end and padding; and sweep.txt.gz: for each block of 64 code points of the planes that have characters, its first one and
the CRC-32 of the ids (little-endian 32-bit numbers) of its characters with, and without, blanks between.
"""

import gzip
import json
import random
import struct
import sys
import tempfile
import unicodedata
import zlib
from pathlib import Path

import transformers
from vocabulary import END, START, byte_letters, standard_merges, vocabulary

transformers.logging.set_verbosity_error()

SWEEP_PLANES = (0, 1, 2, 3, 14)


def flags(content, normalized):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}


def published(pad):
    """The two files as SD1 (pad with the end token) and SD2 (pad with `!`) publish them."""
    named = {"bos_token": flags(START, True), "eos_token": flags(END, True), "unk_token": flags(END, True)}
    config = {"model_max_length": 77, "pad_token": END, "do_lower_case": True}
    config |= {key: {"__type": "AddedToken", **value} for key, value in named.items()}
    return config, {**named, "pad_token": pad}


def saved(vocab):
    """As save_pretrained of transformers 4 writes it, with tokens of its own."""
    decoder = {
        str(vocab[START]): {**flags(START, True), "special": True},
        str(vocab[END]): {**flags(END, False), "special": True},
        str(len(vocab)): {**flags("<Cat>", False), "special": False},
        str(len(vocab) + 1): {**flags("<Cat>é", True), "special": False},
        str(len(vocab) + 2): {**flags("<Cat>s", False), "special": True},
        str(len(vocab) + 3): {**flags("Two  words", True), "special": False},
    }
    config = {"model_max_length": 77, "added_tokens_decoder": decoder, "bos_token": START, "eos_token": END}
    return config | {"pad_token": END, "unk_token": END}, {}


def holes():
    """A vocabulary in which many bytes have no symbol."""
    merges = standard_merges()[:60]
    vocab = vocabulary(merges)
    needed = {part for merge in merges for part in (*merge, "".join(merge))} | {START, END}
    kept = [name for name in vocab if name in needed]
    return {name: i for i, name in enumerate(kept)}, merges


def vocabularies():
    full, small = standard_merges(), standard_merges()[:86]
    yield "standard", vocabulary(full), full, *published(END)
    yield "standard-zero", vocabulary(full), full, *published("!")
    yield "small", vocabulary(small), small, *saved(vocabulary(small))
    vocab, merges = holes()
    yield "holes", vocab, merges, {}, {}


def load(folder, vocab, merges, config, special):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    lines = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    (folder / "merges.txt").write_text(lines, encoding="utf-8")
    for name, value in (("tokenizer_config", config), ("special_tokens_map", special)):
        if value:
            (folder / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return transformers.CLIPTokenizer.from_pretrained(folder)


PROMPTS = [
    "", " ", "a", "a cat", "A photo of an astronaut riding a horse on mars, 8k, trending on artstation",
    "a red circle left of a blue square", "it's the dog's bowl, isn't it? we've WE'RE they'll I'd I'm 'S 'Sam ''s 'tis",
    "(masterpiece:1.2), [bad hands], <lora:detail:0.8>, 100% real!!!", "ISO 3200, f/1.4, 85mm, 16:9 -- v5.2 #art @home",
    "naïve café, Ångström, Straße, ŒUVRE, İstanbul, ΣΊΣΥΦΟΣ, ﬁne Ǆungla", "一只猫坐在窗台上，水墨画", "夜の東京、ネオン、雨",
    "한국의 산 풍경, 각", "кошка в Москве; ЁЖ", "صورة قطة جميلة ١٢٣", "बिल्ली का चित्र क़", "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 ☃️",
    "a\tb\nc\r\nd\u00a0e\u2003f\u3000g\u200bh\u2028i\u0085j", "\0", "a\0b", "\x01\x02\x7f\x80\x9f", "\ufeffa\ufffe\uffff",
    START, END, START.upper(), END.upper(), f"a{END}b", f"a {END} b", f"{END}{END}", f"!{END}!", f"!{END.upper()}!",
    f"x{START.upper()}y", "<|endoftext|", "<|endof text|>", "<|ENDOFTEXT|>'s", "<|startoftext|><|endoftext|>",
    "!", "!!", "!!!", "a!b", "a ! b !!", "e\u0301\u0323", "e\u0323\u0301", "a\u0345\u0301\u0334", "\u0301", "\u1100\u1161\u11a8",
    "\u0958\u09c7\u09be\u0344\u2126\u212b", "q\u0307\u0323\u0308", "\U00011935\U00011930", "\U000105d2\u0307",
    "<Cat> <cat> x<Cat>y <Cat>é <cat>é <CAT>E\u0301", "<Cat>s <Cat>s<Cat>",
    "two words TWO\u3000\t WORDS twowords", "½ ² Ⅷ ⅷ ① 3.14 1,000 0x1F", "_a_ a_b ~~ -- ... …", "\u2019s it\u2019s",
]
WORDS = """cat dog castle portrait of the a an in on painting oil watercolor highly detailed cinematic lighting volumetric fog
bokeh steampunk cyberpunk unreal engine octane render greg rutkowski sunset beach mountain forest 4k 8k hdr f1.8 photo
realistic anime don't can't it's they've we'll I'd dress's rainy-day close-up state-of-the-art sci-fi""".split()


def long_prompts(rng):
    yield "a" * 10000
    yield "ab" * 5000
    yield " ".join("cat" for _ in range(2500))
    yield "!?" * 5000
    yield "\u0301\u0323" * 2000
    yield "".join(chr(rng.randrange(0x20, 0x3000)) for _ in range(3000))
    yield "\u0958" * 1000 + " \t" * 1000 + "İ" * 500


def random_prompt(rng, groups):
    kind = rng.randrange(5)
    if kind == 0:
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 25)))
        return rng.choice([text, text.upper(), text.title(), text.replace(" ", ", ")])
    if kind == 1:
        return "".join(chr(rng.randrange(0x20, 0x7F)) for _ in range(rng.randrange(1, 40)))
    if kind == 2:
        return "".join(rng.choice(groups[rng.choice(list(groups))]) for _ in range(rng.randrange(1, 16)))
    if kind == 3:
        base = rng.choice(groups["Lu"] + groups["Ll"])
        return base + "".join(rng.choice(groups["Mn"]) for _ in range(rng.randrange(1, 8))) + rng.choice(WORDS)
    parts = [*WORDS, START, END, END.upper(), "!", "'s", "'", " ", "\u3000", "<|", "|>", "İ", "Σ", "é", "3", "<Cat>", "🙂"]
    return "".join(rng.choice(parts) for _ in range(rng.randrange(1, 14)))


def prompts():
    rng = random.Random(20240607)
    groups = {}
    for c in range(0x110000):
        if not 0xD800 <= c <= 0xDFFF:
            groups.setdefault(unicodedata.category(chr(c)), []).append(chr(c))
    cases = PROMPTS + list(long_prompts(rng))
    for name in sorted(groups):
        sample = groups[name] if len(groups[name]) <= 12 else rng.sample(groups[name], 12)
        cases += ["a" + c + "b " + c + c for c in sample]
    while len(cases) < 2400:
        cases.append(random_prompt(rng, groups))
    return cases


def sweep(encode):
    for plane in SWEEP_PLANES:
        for first in range(plane << 16, (plane << 16) + 0x10000, 64):
            block = [chr(c) for c in range(first, first + 64) if not 0xD800 <= c <= 0xDFFF]
            sums = (zlib.crc32(struct.pack(f"<{len(ids)}I", *ids)) for ids in map(encode, (" ".join(block), "".join(block))))
            yield f"{first:x} " + " ".join(f"{x:08x}" for x in sums)


def write(path, lines):
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text, 9, mtime=0))
    print(path, len(text), path.stat().st_size)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    cases = prompts()
    for name, vocab, merges, config, special in vocabularies():
        standard = name.startswith("standard")
        folder = Path(tempfile.mkdtemp()) if standard else out / name
        tokenizer = load(folder, vocab, merges, config, special)

        def encode(text):
            return tokenizer.backend_tokenizer.encode(text).ids[1:-1]

        some = cases if name == "standard" else cases[: len(PROMPTS)] + cases[len(PROMPTS) + 7 :: 3]
        write(out / f"{name}.txt.gz", (json.dumps(t) + "\t" + " ".join(map(str, encode(t))) for t in some))
        if name == "standard":
            write(out / "sweep.txt.gz", sweep(encode))


main(Path(sys.argv[1]))
