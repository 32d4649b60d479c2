"""The world that the demo models draw: flat coloured shapes on plain backgrounds.

A scene is a small dataclass; `render` draws pictures of it and `latents` computes, straight from the
scene, the latents that the U-Nets are trained on (see README.md, "A latent space that is designed").

    rng = np.random.default_rng(1)
    scenes = [random_scene(rng) for _ in range(8)]
    layouts = [place(scene, rng) for scene in scenes]
    pictures = render(layouts)            # uint8 [8, 128, 128, 3]
    z = latents(layouts)                  # float32 [8, 4, 16, 16]
"""

from dataclasses import asdict, dataclass

import numpy as np

SIZE = 128
CELL = 8
GRID = SIZE // CELL

COLOURS = {
    "red": (216, 40, 40), "orange": (246, 130, 30), "yellow": (250, 206, 24), "green": (34, 160, 70),
    "cyan": (20, 190, 212), "blue": (36, 80, 222), "purple": (128, 48, 182), "pink": (246, 112, 184),
}
# Top and bottom of each background; sky and navy are gradients.
BACKGROUNDS = {
    "white": ((250, 250, 250), (250, 250, 250)), "black": ((18, 18, 20), (18, 18, 20)),
    "gray": ((148, 150, 154), (148, 150, 154)), "cream": ((250, 236, 204), (250, 236, 204)),
    "sky": ((172, 212, 250), (212, 236, 254)), "navy": ((16, 22, 56), (32, 38, 84)),
}
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross", "heart", "diamond")
SIZES = {"small": (12.0, 14.0), "medium": (18.0, 21.0), "big": (26.0, 28.0)}
RELATIONS = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}

# What an unnamed background may be: the light ones, where all eight colours look well.
DEFAULT_BACKGROUNDS = ("white", "cream", "sky")

COLOUR_NAMES = tuple(COLOURS)
BACKGROUND_NAMES = tuple(BACKGROUNDS)
SIZE_NAMES = tuple(SIZES)
RELATION_NAMES = tuple(RELATIONS)


@dataclass(frozen=True)
class Thing:
    colour: str
    shape: str
    size: str | None = None  # None: not named in the caption, drawn medium


@dataclass(frozen=True)
class Scene:
    """`count` things of one kind (b is None), or one `a` that stands in `relation` to one `b`."""
    a: Thing
    count: int = 1
    b: Thing | None = None
    relation: str | None = None
    background: str | None = None

    def to_json(self):
        return asdict(self)

    @staticmethod
    def from_json(data):
        data = dict(data)
        data["a"] = Thing(**data["a"])
        data["b"] = Thing(**data["b"]) if data["b"] else None
        return Scene(**data)


@dataclass(frozen=True)
class Layout:
    """A scene with every random choice made: rows of (shape, colour, x, y, radius)."""
    background: str
    things: tuple


def _random_thing(rng, sizes):
    return Thing(str(rng.choice(COLOUR_NAMES)), str(rng.choice(SHAPES)), sizes[rng.integers(len(sizes))])


def random_scene(rng, pairs=0.62):
    background = str(rng.choice(BACKGROUND_NAMES)) if rng.random() < 0.6 else None
    any_size = (None, None, "small", "medium", "big")
    if rng.random() < pairs:
        a, b = _random_thing(rng, any_size), _random_thing(rng, any_size)
        while (a.colour, a.shape) == (b.colour, b.shape):
            b = _random_thing(rng, any_size)
        return Scene(a, 1, b, str(rng.choice(RELATION_NAMES)), background)
    count = int(rng.choice((1, 2, 3), p=(0.3, 0.35, 0.35)))
    sizes = any_size if count < 3 else (None, None, "small", "medium")
    return Scene(_random_thing(rng, sizes), count, None, None, background)


def _positions(scene, rng):
    mid = SIZE / 2
    if scene.b is not None:
        dx, dy = RELATIONS[scene.relation]
        along, across = rng.uniform(-1.6, 1.6, 2), rng.uniform(-9, 9, 2)
        return [(mid + 32 * dx * s + (along[i] if dx else across[i]), mid + 32 * dy * s + (along[i] if dy else across[i]))
                for i, s in ((0, 1), (1, -1))]
    if scene.count == 1:
        return [tuple(mid + rng.uniform(-12, 12, 2))]
    if scene.count == 2:
        along, across = rng.uniform(-1.6, 1.6, 2), rng.uniform(-9, 9, 2)
        return [(mid - 32 + along[0], mid + across[0]), (mid + 32 + along[1], mid + across[1])]
    base = np.array([(64, 36), (33, 92), (95, 92)], dtype=float) + rng.uniform(-4, 4, (3, 2))
    if rng.random() < 0.5:
        base[:, 1] = SIZE - base[:, 1]
    return [tuple(p) for p in base]


def place(scene, rng, shift=(0.0, 0.0)):
    """Choose background, positions and radii; `shift` moves everything (a crop's left and top)."""
    background = scene.background or str(rng.choice(DEFAULT_BACKGROUNDS))
    things = []
    for i, (x, y) in enumerate(_positions(scene, rng)):
        thing = scene.b if scene.b is not None and i == 1 else scene.a
        if i == 0 or scene.b is not None:
            radius = rng.uniform(*SIZES[thing.size or "medium"])
        things.append((thing.shape, thing.colour, float(x - shift[0]), float(y - shift[1]), float(radius)))
    return Layout(background, tuple(things))


# ---------------------------------------------------------------------------------------------
# Drawing. Each shape is a table of signed distances on [-REACH, REACH]^2 for radius 1.

_TABLE, _REACH = 512, 1.5


def _polygon_distance(x, y, points):
    points = np.asarray(points, dtype=np.float64)
    best = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0)):
        ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
        t = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0, 1)
        best = np.minimum(best, (wx - ex * t) ** 2 + (wy - ey * t) ** 2)
        if ey != 0:
            inside ^= ((ay <= y) != (by <= y)) & (x < ax + ex * (y - ay) / ey)
    return np.where(inside, -1, 1) * np.sqrt(best)


def _outline(shape):
    if shape == "square":
        return [(-.88, -.88), (.88, -.88), (.88, .88), (-.88, .88)]
    if shape == "diamond":
        return [(0, -1.12), (.84, 0), (0, 1.12), (-.84, 0)]
    if shape == "triangle":
        return [(0, -1.05), (1.08, .82), (-1.08, .82)]
    if shape == "star":
        angles = -np.pi / 2 + np.arange(10) * np.pi / 5
        radii = np.where(np.arange(10) % 2 == 0, 1.15, 0.5)
        return np.stack([radii * np.cos(angles), radii * np.sin(angles) + .06], axis=1)
    if shape == "cross":
        w, h = .33, 1.0
        return [(-w, -h), (w, -h), (w, -w), (h, -w), (h, w), (w, w), (w, h), (-w, h), (-w, w), (-h, w), (-h, -w), (-w, -w)]
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        x = 16 * np.sin(t) ** 3
        y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
        return np.stack([x / 15.4, (y - 2.0) / 15.4], axis=1)
    raise ValueError(shape)


def _make_tables():
    axis = (np.arange(_TABLE) + 0.5) / _TABLE * 2 * _REACH - _REACH
    x, y = np.meshgrid(axis, axis)
    circle = np.hypot(x, y)
    tables = []
    for shape in SHAPES:
        if shape == "circle":
            tables.append(circle - 1)
        elif shape == "ring":
            tables.append(np.abs(circle - .79) - .25)
        else:
            tables.append(_polygon_distance(x, y, _outline(shape)))
    return np.stack(tables).astype(np.float32)


_tables = None


def distance(shape_ids, x, y, radius, axis_x, axis_y):
    """Signed distances [n, h, w] in pixels of n shapes at (x, y), sampled at the given pixel centres."""
    global _tables
    if _tables is None:
        _tables = _make_tables().reshape(-1)
    scale = (_TABLE / (2 * _REACH) / radius).astype(np.float32)[:, None]
    column = np.clip((axis_x - x[:, None]) * scale + _TABLE / 2, 0, _TABLE - 1).astype(np.int32)
    row = np.clip((axis_y - y[:, None]) * scale + _TABLE / 2, 0, _TABLE - 1).astype(np.int32)
    index = (np.asarray(shape_ids, dtype=np.int32) * _TABLE * _TABLE)[:, None, None]
    index = index + row[:, :, None] * _TABLE + column[:, None, :]
    return _tables[index] * np.asarray(radius, dtype=np.float32)[:, None, None]


def _columns(layouts):
    """Things of all layouts as arrays, with the index of the layout that each belongs to."""
    owner = np.array([i for i, layout in enumerate(layouts) for _ in layout.things], dtype=np.int64)
    rows = [thing for layout in layouts for thing in layout.things]
    shape = np.array([SHAPES.index(r[0]) for r in rows], dtype=np.int64)
    colour = np.array([COLOURS[r[1]] for r in rows], dtype=np.float32)
    x, y, radius = (np.array([r[k] for r in rows], dtype=np.float32) for k in (2, 3, 4))
    return owner, shape, colour, x, y, radius


def _order(owner):
    """Layers: the first thing of every layout, then the second of those that have one, ..."""
    seen, layers = {}, []
    for i, o in enumerate(owner):
        level = seen.get(o, 0)
        seen[o] = level + 1
        if level == len(layers):
            layers.append([])
        layers[level].append(i)
    return [np.array(layer) for layer in layers]


def _paint(layouts, resolution):
    """Pictures float32 [n, resolution, resolution, 3] in 0..255."""
    step = SIZE / resolution
    axis = ((np.arange(resolution) + 0.5) * step).astype(np.float32)
    top = np.array([BACKGROUNDS[layout.background][0] for layout in layouts], dtype=np.float32)
    bottom = np.array([BACKGROUNDS[layout.background][1] for layout in layouts], dtype=np.float32)
    ramp = (axis / SIZE)[None, :, None, None]
    picture = top[:, None, None] + (bottom - top)[:, None, None] * ramp
    picture = np.repeat(picture, resolution, axis=2)
    owner, shape, colour, x, y, radius = _columns(layouts)
    for layer in _order(owner):
        d = distance(shape[layer], x[layer], y[layer], radius[layer], axis[None], axis[None])
        cover = np.clip(0.5 - d / step, 0, 1)[..., None]
        o = owner[layer]
        picture[o] += cover * (colour[layer][:, None, None] - picture[o])
    return picture


def render(layouts):
    """Anti-aliased pictures, uint8 [n, 128, 128, 3]."""
    return np.rint(_paint(layouts, SIZE)).astype(np.uint8)


# ---------------------------------------------------------------------------------------------
# Latents. Channels 0-2: colours of the 8x8 cells, as luma and two differences, scaled to unit spread.
# Channel 3: zero on the background and a level that names the shape within the thing's disc.

SHAPE_LEVEL = {"square": -4, "star": -3, "circle": -2, "triangle": -1, "ring": 1, "heart": 2, "cross": 3, "diamond": 4}
LEVEL_STEP = 0.7
COLOUR_MATRIX = np.array([[.40, .40, .40], [.95, -.35, -.60], [.85, -1.7, .85]], dtype=np.float32) * 1.5


def colours_to_latents(cells):
    """[..., 3] in 0..255 -> [..., 3] latent units."""
    return (cells / 127.5 - 1) @ COLOUR_MATRIX.T


def latents_to_colours(z):
    return (z @ np.linalg.inv(COLOUR_MATRIX).T + 1) * 127.5


def latents(layouts):
    """float32 [n, 4, 16, 16]."""
    fine = _paint(layouts, SIZE // 2)
    n = len(layouts)
    cells = fine.reshape(n, GRID, CELL // 2, GRID, CELL // 2, 3).mean(axis=(2, 4))
    z = np.zeros((n, GRID, GRID, 4), dtype=np.float32)
    z[..., :3] = colours_to_latents(cells)
    axis = ((np.arange(GRID) + 0.5) * CELL).astype(np.float32)
    owner, shape, _, x, y, radius = _columns(layouts)
    level = np.array([SHAPE_LEVEL[s] for s in SHAPES], dtype=np.float32)[shape] * LEVEL_STEP
    for layer in _order(owner):
        r = np.hypot((axis[None, None, :] - x[layer][:, None, None]), (axis[None, :, None] - y[layer][:, None, None]))
        cover = np.clip(0.5 - (r - 0.95 * radius[layer][:, None, None]) / CELL, 0, 1)
        o = owner[layer]
        z[o, :, :, 3] += cover * (level[layer][:, None, None] - z[o, :, :, 3])
    return z.transpose(0, 3, 1, 2)
