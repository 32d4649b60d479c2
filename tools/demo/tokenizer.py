"""A small vocabulary for CLIP's byte-level BPE: every byte, plus the words of the world as single tokens.

    write_tokenizer("models/demo/tokenizer")                 # pads with <|endoftext|>
    write_tokenizer("models/demo-xl/tokenizer_2", pad="!")   # as SDXL's second
"""

import json
from collections import Counter
from pathlib import Path

import captions

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_LENGTH = 77


def bytes_to_unicode():
    """CLIP's table: printable bytes stand for themselves, the others are moved above 255."""
    keep = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {b: chr(b) for b in keep}
    extra = 0
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + extra)
            extra += 1
    return table


def learn_merges(words):
    """Plain BPE on a word list until every word is one symbol."""
    pieces = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while True:
        pairs = Counter(p for symbols in pieces.values() for p in zip(symbols, symbols[1:]))
        if not pairs:
            return merges
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        for word, symbols in pieces.items():
            out, i = [], 0
            while i < len(symbols):
                if tuple(symbols[i:i + 2]) == best:
                    out.append(symbols[i] + symbols[i + 1])
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            pieces[word] = out


def vocabulary():
    merges = learn_merges(captions.WORDS)
    letters = list(bytes_to_unicode().values())
    names = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + [START, END]
    assert len(set(names)) == len(names)
    return {name: i for i, name in enumerate(names)}, merges


def write_tokenizer(folder, pad=END):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    vocab, merges = vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")

    def token(content, normalized):
        return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}

    special = {"bos_token": token(START, True), "eos_token": token(END, True), "pad_token": pad, "unk_token": token(END, True)}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    added = {str(vocab[name]): {**token(name, name == START), "special": True} for name in (START, END)}
    if pad != END:
        added[str(vocab[pad])] = {**token(pad, False), "special": True}
    config = {
        "add_prefix_space": False, "added_tokens_decoder": added,
        "bos_token": START, "clean_up_tokenization_spaces": True, "do_lower_case": True, "eos_token": END, "errors": "replace",
        "model_max_length": MAX_LENGTH, "pad_token": pad, "tokenizer_class": "CLIPTokenizer", "unk_token": END,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


class WordTokenizer:
    """Quick encoder for captions of the world (single-token words); tests compare it with CLIPTokenizer."""

    def __init__(self):
        self.vocab, _ = vocabulary()
        self.start, self.end = self.vocab[START], self.vocab[END]
        self.cache = {}

    def words(self, text):
        if text not in self.cache:
            spaced = text.replace(",", " , ").replace("-", " - ").split()
            self.cache[text] = [self.vocab[w + "</w>"] for w in spaced]
        return self.cache[text]

    def encode(self, text, length=MAX_LENGTH, pad=END):
        ids = [self.start, *self.words(text), self.end]
        return ids + [self.vocab[pad]] * (length - len(ids))
