"""The contact sheet of the README: 24 prompts drawn by the program, half with each demo model.

    python sheet.py --cauldron ../../build/cauldron --out ../../docs/images/contact-sheet.png
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

PROMPTS = [
    "a red circle left of a blue square",
    "three green stars on white",
    "a big yellow heart on a navy background",
    "a purple ring above a pink cross",
    "two orange triangles",
    "a cyan diamond on black",
    "a small blue star right of a big red heart",
    "a green square below a yellow circle",
    "one pink ring on a gray background",
    "three purple diamonds on cream",
    "a big orange cross",
    "two red squares on a sky background",
]
CELL, COLUMNS, CAPTION, MARGIN = 128, 6, 26, 8


def draw(cauldron, model, prompt, guidance, folder):
    path = Path(folder) / f"{model}.png"
    subprocess.run([cauldron, "generate", "-q", "-m", model, "-s", "7", "-t", "20", "-g", str(guidance), "-o", path, prompt],
                   check=True)
    return Image.open(path).convert("RGB")


def caption(prompt):
    """Two lines of about equal length."""
    if len(prompt) <= 24:
        return prompt
    at = prompt.rfind(" ", 0, 25)
    return prompt[:at] + "\n" + prompt[at + 1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cauldron", default="build/cauldron")
    parser.add_argument("--guidance", type=float, default=4)
    parser.add_argument("--out", default="docs/images/contact-sheet.png")
    args = parser.parse_args()

    pictures = [(prompt, model) for model in ("demo", "demo-xl") for prompt in PROMPTS]
    rows = len(pictures) // COLUMNS
    wide, high = CELL + MARGIN, CELL + CAPTION + MARGIN
    sheet = Image.new("RGB", (COLUMNS * wide + MARGIN, rows * high + MARGIN), "white")
    pen = ImageDraw.Draw(sheet)
    with tempfile.TemporaryDirectory() as folder:
        for i, (prompt, model) in enumerate(pictures):
            x, y = MARGIN + i % COLUMNS * wide, MARGIN + i // COLUMNS * high
            sheet.paste(draw(args.cauldron, model, prompt, args.guidance, folder), (x, y))
            pen.rectangle((x - 1, y - 1, x + CELL, y + CELL), outline=(200, 200, 200))
            pen.multiline_text((x, y + CELL + 2), caption(prompt), fill=(60, 60, 60), font_size=9, spacing=1)
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    sheet.save(args.out, optimize=True)


if __name__ == "__main__":
    main()
