"""CLIP vocabularies as tokenizer folders.

    write_tokenizer(folder, merges=small_merges(86), pad="<|endoftext|>")     600 entries, every byte covered
    write_tokenizer(folder, merges=standard_merges(), pad="!")                the 49,408 entries of CLIP
"""

import gzip
import json
from pathlib import Path

START, END = "<|startoftext|>", "<|endoftext|>"
STANDARD_MERGES = 49152 - 256 - 2


def byte_letters():
    """CLIP's letters for the 256 bytes: printable ones stand for themselves, the others lie above U+00FF."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(b) for b in printable]
    return letters + [chr(256 + i) for i in range(256 - len(printable))]


def standard_merges():
    import open_clip

    path = Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.open(path, "rt", encoding="utf-8").read().split("\n")
    return [tuple(line.split()) for line in lines[1 : STANDARD_MERGES + 1]]


def small_merges(count):
    return standard_merges()[:count]


def vocabulary(merges):
    letters = byte_letters()
    names = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + [START, END]
    return {name: i for i, name in enumerate(names)}


def write_tokenizer(folder, merges, pad=END):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    vocab = vocabulary(merges)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n", encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def token(content, normalized):
        return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}

    special = {"bos_token": token(START, True), "eos_token": token(END, True), "pad_token": pad,
               "unk_token": token(END, True)}
    added = {str(vocab[name]): {**token(name, name == START), "special": True} for name in (START, END)}
    if pad != END:
        added[str(vocab[pad])] = {**token(pad, False), "special": True}
    config = {
        "add_prefix_space": False, "added_tokens_decoder": added, "bos_token": START,
        "clean_up_tokenization_spaces": True, "do_lower_case": True, "eos_token": END, "errors": "replace",
        "model_max_length": 77, "pad_token": pad, "tokenizer_class": "CLIPTokenizer", "unk_token": END,
    }
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
