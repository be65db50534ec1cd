"""The files of `.github/` that a new project starts from, and the Bakehouse that its workflows install."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

PINNED = "requirements/bakehouse.txt"
OWN = frozenset({".github/actions/setup/action.yml", ".github/dependabot.yml", PINNED})
"""What the repository of the engine has in a form of its own: there, the engine is the one that is checked out."""


def flow_files() -> dict[str, str]:
    """Give the text of each file, by its path in a project.

    Examples
    --------
    >>> ".github/workflows/check.yml" in flow_files()
    True
    >>> flow_files()["requirements/bakehouse.txt"].splitlines()[0]
    '# The Bakehouse that the workflows run.'
    """
    found = dict(_walk(files(__package__).joinpath("github"), ".github/"))
    pinned = found.pop(".github/requirements.txt").replace("@VERSION@", version("bakehouse"))
    return found | {PINNED: pinned}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        if each.is_dir():
            yield from _walk(each, f"{prefix}{each.name}/")
        else:
            yield prefix + each.name, each.read_text(encoding="utf-8")
