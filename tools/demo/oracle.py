"""The judge: reads a picture of the world (numpy, scipy, pillow only) and compares it with a scene.

    seen = look(np.asarray(Image.open("x.png").convert("RGB")))
    marks = judge(seen, scene)          # {"background": True, "colour": True, ...}

It knows nothing of the models: it finds the background from the border, everything that differs from it, splits that
into connected parts, names each part's colour by the nearest palette entry and its shape by the best matching outline.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

import world

ASPECTS = ("background", "colour", "shape", "size", "count", "relation", "all")


@dataclass
class Seen:
    colour: str
    shape: str
    size: str
    x: float
    y: float
    match: float  # overlap with the best outline, 0..1


def _background(picture):
    """Name and picture of the background: the ramp that most of the border agrees with."""
    border = np.zeros(picture.shape[:2], dtype=bool)
    border[:6], border[-6:], border[:, :6], border[:, -6:] = True, True, True, True
    best = None
    ramp = ((np.arange(world.SIZE) + 0.5) / world.SIZE)[:, None, None]
    for name, (top, bottom) in world.BACKGROUNDS.items():
        top, bottom = np.array(top, dtype=np.float32), np.array(bottom, dtype=np.float32)
        field = np.broadcast_to(top + (bottom - top) * ramp, picture.shape)
        error = np.median(np.abs(picture - field).mean(-1)[border])
        if best is None or error < best[0]:
            best = (error, name, field)
    return best[1], best[2]


_templates = None


def _templates_of():
    """For each (shape, radius): the mask centred in a 96x96 window, its area and centroid."""
    global _templates
    if _templates is None:
        _templates = []
        axis = np.arange(96, dtype=np.float32)[None] + 0.5
        for k, shape in enumerate(world.SHAPES):
            for radius in np.arange(8.0, 34.0, 0.75):
                one = np.array([radius], dtype=np.float32)
                d = world.distance([k], np.array([48.0], np.float32), np.array([48.0], np.float32), one, axis, axis)[0]
                mask = d < 0
                cy, cx = ndimage.center_of_mass(mask)
                _templates.append((shape, float(radius), mask, int(mask.sum()), cx, cy))
    return _templates


def _name_shape(mask):
    """Best outline by intersection over union, with the centroids laid upon each other."""
    area = int(mask.sum())
    cy, cx = ndimage.center_of_mass(mask)
    ys, xs = np.nonzero(mask)
    best = (0.0, "circle", 10.0)
    for shape, radius, template, size, tx, ty in _templates_of():
        if not 0.75 < size / area < 1.33:
            continue
        u, v = np.rint(xs - cx + tx).astype(int), np.rint(ys - cy + ty).astype(int)
        inside = (u >= 0) & (u < 96) & (v >= 0) & (v < 96)
        common = int(template[v[inside], u[inside]].sum())
        iou = common / (area + size - common)
        if iou > best[0]:
            best = (iou, shape, radius)
    return best


def look(picture):
    """(background name, list of Seen) for a uint8 [128, 128, 3] picture."""
    picture = np.asarray(picture, dtype=np.float32)
    background, field = _background(picture)
    different = np.abs(picture - field).max(-1) > 34
    different = ndimage.binary_opening(different, iterations=1)
    labels, count = ndimage.label(different)
    things = []
    palette = np.array(list(world.COLOURS.values()), dtype=np.float32)
    for k in range(1, count + 1):
        mask = labels == k
        if mask.sum() < 60:
            continue
        core = ndimage.binary_erosion(mask, iterations=2)
        colour = np.median(picture[core if core.sum() > 12 else mask], axis=0)
        name = world.COLOUR_NAMES[int(((palette - colour) ** 2).sum(-1).argmin())]
        match, shape, radius = _name_shape(mask)
        size = min(world.SIZES, key=lambda s: abs(radius - sum(world.SIZES[s]) / 2))
        cy, cx = ndimage.center_of_mass(mask)
        things.append(Seen(name, shape, size, cx, cy, match))
    return background, things


def judge(seen, scene):
    """Marks for one picture; None where the scene asks nothing (an unnamed background, a group's relation)."""
    background, things = seen
    wanted = [scene.a] * scene.count + ([scene.b] if scene.b else [])
    marks = {name: None for name in ASPECTS}
    marks["background"] = background == scene.background if scene.background else None
    marks["count"] = len(things) == len(wanted)
    marks["colour"] = marks["shape"] = marks["size"] = False
    if scene.b is not None:
        marks["relation"] = False
    if len(things) == len(wanted):
        pairs = list(zip(wanted, things))
        if scene.b is not None:
            def fit(order):
                return sum((w.colour == t.colour) + (w.shape == t.shape) + 0.1 * ((w.size or "medium") == t.size)
                           for w, t in zip(wanted, order))
            dx, dy = world.RELATIONS[scene.relation]

            def placed(order):
                return (order[1].x - order[0].x) * -dx + (order[1].y - order[0].y) * -dy > 8
            options = [things, things[::-1]]
            best = max(options, key=lambda order: (fit(order), placed(order)))
            pairs = list(zip(wanted, best))
            marks["relation"] = bool(placed(best)) and fit(best) >= 2
        marks["colour"] = all(w.colour == t.colour for w, t in pairs)
        marks["shape"] = all(w.shape == t.shape and t.match > 0.6 for w, t in pairs)
        marks["size"] = all((w.size or "medium") == t.size for w, t in pairs)
    else:  # a wrong count may still show the right colours and shapes
        marks["colour"] = bool(things) and {w.colour for w in wanted} == {t.colour for t in things}
        marks["shape"] = bool(things) and {w.shape for w in wanted} == {t.shape for t in things}
    marks["all"] = all(v for v in marks.values() if v is not None)
    return marks


def table(rows):
    """Markdown table of the shares that are right, from a list of marks."""
    share = []
    for name in ASPECTS:
        known = [bool(row[name]) for row in rows if row[name] is not None]
        share.append(f"{100 * np.mean(known):.1f} % of {len(known)}" if known else "-")
    return ("| " + " | ".join(ASPECTS) + " |\n|" + "---|" * len(ASPECTS) + "\n| " + " | ".join(share) + " |")
