"""Captions: many wordings for one scene.  caption(scene, rng) -> "a big red circle left of a blue square on navy"."""

import world

PLURAL = {shape: shape + "s" for shape in world.SHAPES} | {"cross": "crosses"}
NUMBERS = {1: ("a", "a", "a", "one", "1"), 2: ("two", "two", "2"), 3: ("three", "three", "3")}
SIZE_WORDS = {"small": ("small", "small", "little"), "medium": ("medium", "medium-sized"), "big": ("big", "big", "large")}
RELATION_WORDS = {
    "left of": ("left of", "left of", "to the left of", "on the left of"),
    "right of": ("right of", "right of", "to the right of", "on the right of"),
    "above": ("above", "above", "over"),
    "below": ("below", "below", "under"),
}
BACKGROUND_WORDS = ("on {}", "on a {} background", "on a {} background", ", {} background", "against a {} background")
OPENINGS = ("",) * 7 + ("a picture of ", "a drawing of ", "an image of ")
WORDS = sorted({word for group in (
    world.COLOURS, world.SHAPES, PLURAL.values(), world.BACKGROUNDS, ("grey",),
    *(w.replace("-", " ").split() for ws in SIZE_WORDS.values() for w in ws),
    *(w.split() for ws in RELATION_WORDS.values() for w in ws),
    ("a", "an", "one", "two", "three", "on", "background", "against", "picture", "drawing", "image", "of", "and", "with", "the",
     "in", "shape", "shapes", "photo"),
) for word in group})


def _pick(rng, options):
    return options[int(rng.integers(len(options)))]


def thing_words(thing, rng):
    size = _pick(rng, SIZE_WORDS[thing.size]) + " " if thing.size else ""
    return f"{size}{thing.colour} {thing.shape}"


def _with_article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def caption(scene, rng):
    if scene.b is not None:
        body = (f"{_with_article(thing_words(scene.a, rng))} {_pick(rng, RELATION_WORDS[scene.relation])} "
                f"{_with_article(thing_words(scene.b, rng))}")
    else:
        words = thing_words(scene.a, rng)
        if scene.count > 1:
            words = words[:-len(scene.a.shape)] + PLURAL[scene.a.shape]
        number = _pick(rng, NUMBERS[scene.count])
        body = _with_article(words) if number == "a" else f"{number} {words}"
    text = _pick(rng, OPENINGS) + body
    if scene.background:
        name = "grey" if scene.background == "gray" and rng.random() < 0.3 else scene.background
        ending = _pick(rng, BACKGROUND_WORDS).format(name)
        text += ending if ending[0] == "," else " " + ending
    return text
