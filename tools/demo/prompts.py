"""The held-out prompts: 200 scenes and captions that no training picture shares.  python prompts.py > prompts.json"""

import json
from pathlib import Path

import numpy as np

import captions
import world
from world import Scene, Thing

SEED = 2026


def key(scene):
    """What makes two scenes the same for the hold-out: everything for groups, all but the background for pairs."""
    if scene.b is None:
        return scene.a, scene.count, scene.background
    return scene.a, scene.b, scene.relation


def make_prompts(count=200):
    rng = np.random.default_rng(SEED)
    first = Scene(Thing("red", "circle"), 1, Thing("blue", "square"), "left of", None)
    rows, seen = [{"prompt": "a red circle left of a blue square", "scene": first.to_json()}], {key(first)}
    while len(rows) < count:
        scene = world.random_scene(rng, pairs=0.5)
        if key(scene) not in seen:
            seen.add(key(scene))
            rows.append({"prompt": captions.caption(scene, rng), "scene": scene.to_json()})
    return rows


def held_out():
    """Keys of the committed prompts; trainers skip scenes that have one."""
    rows = json.loads((Path(__file__).parent / "prompts.json").read_text())
    return {key(Scene.from_json(row["scene"])) for row in rows}


if __name__ == "__main__":
    print("[\n" + ",\n".join(json.dumps(row) for row in make_prompts()) + "\n]")
