"""Bake one recipe as pangeo-forge-runner does: ``upstream.py SPEC.json``, in the environment of upstream.

The runner's own classes read the feedstock, inject the storage, prune, and choose Beam's options. Only its first step
is left out: making another environment from the feedstock's requirements, whose versions no longer install.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem


def injections(spec):
    """Give the storage that the runner writes into recipes."""
    from pangeo_forge_recipes.storage import CacheFSSpecTarget, FSSpecTarget
    from pangeo_forge_runner.plugin import get_injections, get_injectionspecs_from_entrypoints

    fs = LocalFileSystem(auto_mkdir=True)
    values = {
        "TARGET_STORAGE": FSSpecTarget(fs, spec["target"]),
        "INPUT_CACHE_STORAGE": CacheFSSpecTarget(fs, spec["cache"]),
    }
    if not spec["cache"]:
        del values["INPUT_CACHE_STORAGE"]
    return get_injections(get_injectionspecs_from_entrypoints(), values)


def main():
    """Bake the recipe."""
    from apache_beam import Pipeline, PTransform
    from pangeo_forge_runner.bakery.local import LocalDirectBakery
    from pangeo_forge_runner.feedstock import Feedstock

    spec = json.loads(Path(sys.argv[1]).read_text())
    os.chdir(spec["folder"])
    feedstock = Feedstock(Path(spec["subdir"]), prune=spec["prune"], callable_args_injections=injections(spec))
    recipe = feedstock.parse_recipes()[spec["recipe"]]
    options = LocalDirectBakery(num_workers=1).get_pipeline_options("compat", "", {})
    pipeline = Pipeline(options=options, argv=[])
    if not isinstance(recipe, PTransform):
        raise TypeError(f"{spec['recipe']} is no PTransform; the runner would run an empty pipeline")
    pipeline | recipe
    pipeline.run()


if __name__ == "__main__":
    main()
