"""Run a command again in an environment with what a feedstock's requirements.txt asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bakehouse.cli.projects import Named, feedstock_folder
from bakehouse.cli.reply import say
from bakehouse.cli.words import Where, read_words
from bakehouse.errors import UsageError

INSIDE = "BAKEHOUSE_ISOLATED"
"""Set for the command that runs in the environment."""


def isolate(root: Path, texts: Sequence[str], where: Where) -> None:
    """Go on in this process if all that is asked for is there; else replace it by one that has it.

    Raises
    ------
    UsageError
        If there are several feedstocks, which may ask for different things.
    RecipeError
        If something can't be installed.
    """
    from bakehouse.feedstock.environment import environment
    from bakehouse.feedstock.requirements import read_requirements

    if os.environ.get(INSIDE):
        return
    file = _file(root, texts, where)
    wanted = read_requirements(file)
    for note in wanted.notes:
        say(f"requirements.txt: {note}")
    if not wanted.install:
        return
    say(f"requirements.txt: with {', '.join(wanted.install)}")
    python = str(environment(wanted, file))
    sys.stdout.flush()
    os.execve(python, [python, "-P", "-m", _module(), *sys.argv[1:]], {**os.environ, INSIDE: "1"})


def _module() -> str:
    """Name the module that this process was started as, so that what it watches is watched in the next one, too."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec is not None and spec.name.startswith("bakehouse.") else "bakehouse"


def _file(root: Path, texts: Sequence[str], where: Where) -> Path:
    from bakehouse.meta.load import REQUIREMENTS, meta_folder

    words = read_words(root, texts, where)
    folders = {
        feedstock_folder(root, each.feedstock) if isinstance(each, Named) else each.located().folder for each in words
    }
    if len(folders) != 1:
        raise UsageError("--isolated takes one feedstock", None, None, "bake one after the other")
    return meta_folder(folders.pop()) / REQUIREMENTS
