#!/usr/bin/env python3
"""Who may include whom: the doors between the rooms of src/ are one-way (design, section 2)."""

import pathlib
import re
import sys

DOORS = {
    "base": [],
    "net": ["base"],
    "objects": ["base", "net"],
    "datasets": ["base", "net"],
    "recipe": ["base"],
    "image": ["base"],
    "engine": ["base", "image"],
    "models": ["base", "net"],
    "providers": ["base", "recipe", "image"],
    "storage": ["base", "recipe", "objects"],
    "jobs": ["base", "recipe", "image", "storage", "providers"],
    "experiments": ["base", "recipe", "image", "storage", "jobs"],
    "plugins": ["base", "image", "net"],
    "tasks": ["base", "recipe", "image", "net", "objects", "datasets", "storage", "jobs", "experiments", "providers", "plugins", "ops"],
    "ops": ["base", "net"],
    "server": ["base", "ops"],
    "api": ["base", "recipe", "image", "ops", "server", "storage", "jobs", "experiments", "providers", "models", "plugins", "tasks", "net"],
    "cli": None,  # everything: it wires the rooms together
}
# Files that may open one door more.
EXTRA = {f"providers/{name}": ["engine"]
         for name in ("native.c", "native.h", "native_complete.c", "native_draw.c", "native_models.c",
                      "native_names.c", "native_pool.c")}
EXTRA["models/check.c"] = ["engine"]
# Inside the engine: kernels know tensors only, samplers know no network, weights no graph.
INNER = {
    "engine/kernels": ["engine/kernels", "engine/tensor.h"],
    "engine/sampling": ["engine/sampling"],
    "engine/text": ["engine/text"],
    "engine/weights": ["engine/weights", "engine/sampling", "engine/text", "engine/tensor.h"],
    "engine/graph": ["engine/graph", "engine/kernels", "engine/weights", "engine/tensor.h"],
    "engine/networks": ["engine/networks", "engine/graph", "engine/kernels", "engine/weights",
                        "engine/tensor.h"],
}
# Made from api/openapi.yaml when the program is built (tools/openapi).
GENERATED = {"api/api_examples.h", "api/api_routes.h", "api/api_schemas.h", "api/api_texts.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def resolve(source, path, name):
    """The included file relative to src/, None when it is not one of the rooms'."""
    if name in GENERATED:
        return name
    for candidate in (path.parent / name, source / name):
        if candidate.exists():
            return candidate.resolve().relative_to(source.resolve()).as_posix()
    return None


def problems(source):
    for path in sorted(source.rglob("*.[ch]")):
        here = path.relative_to(source).as_posix()
        room = here.split("/")[0]
        if room not in DOORS:
            yield f"src/{here}: the room '{room}' has no entry in the table of doors"
            continue
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            target = resolve(source, path, name)
            if target is None:
                if name != "cauldron.h":
                    yield f"src/{here}: cannot find \"{name}\""
                continue
            other = target.split("/")[0]
            allowed = DOORS[room]
            if allowed is not None and other != room and other not in allowed + EXTRA.get(here, []):
                yield f"src/{here}: {room} may not include {target}"
            inner = INNER.get("/".join(here.split("/")[:2]))
            if inner and other == room and not any(target.startswith(i) for i in inner):
                yield f"src/{here}: {'/'.join(here.split('/')[:2])} may not include {target}"


found = list(problems(pathlib.Path("src")))
print("\n".join(found))
sys.exit(bool(found))
