"""The examples of the rules, as small projects on disk."""

from __future__ import annotations

import re
from pathlib import Path

from bakehouse.meta.findings import SAME, Example, Link

PROJECT = """\
# yaml-language-server: $schema=schemas/project.schema.json
title: Demo project
default_bakery: local
bakeries:
  local: {target: .bakehouse/stores}
"""

FEEDSTOCK = """\
# yaml-language-server: $schema=../../schemas/feedstock.schema.json
title: Demo
description: A small dataset.
provenance:
  providers: [{name: Met Office, roles: [producer], url: 'https://www.metoffice.gov.uk'}]
  license: CC-BY-4.0
maintainers: [{name: Josiah Carberry, github: josiah, orcid: 0000-0002-1825-0097}]
recipes:
  - {id: demo, object: 'recipe:recipe'}
"""

RECIPE = "recipe = None\n"

_BLOCK = re.compile(r"^(?=\S)", re.MULTILINE)
_SOUND = {"meta.yaml": FEEDSTOCK, "recipe.py": RECIPE}


def write_example(example: Example, root: Path) -> Path:
    """Write an example as a project with one feedstock, otherwise sound; give the feedstock's folder."""
    folder = root / "feedstocks" / "demo"
    about_project = example.target == "project"
    files: dict[Path, str | bytes | Link] = {
        root / "meta.yaml": text_of(example, PROJECT) if about_project else PROJECT,
        folder / "meta.yaml": FEEDSTOCK if about_project else text_of(example, FEEDSTOCK),
        folder / "recipe.py": RECIPE,
    }
    for name, content in example.files.items():
        path = root / name[1:] if name.startswith("/") else folder / name
        content = _SOUND[path.name] if content == SAME else content
        files = {other: old for other, old in files.items() if other not in path.parents}
        files[path] = content
    for path, content in files.items():
        _write(path, content)
    return folder


def text_of(example: Example, sound: str) -> str:
    r"""Give the whole meta.yaml of an example: its own top-level keys, and those of the sound one that it leaves out.

    Examples
    --------
    >>> text_of(Example("title: b"), "title: a\ntags: []\n")
    'tags: []\ntitle: b'
    """
    if example.whole:
        return example.text
    own = {_key(block) for block in _BLOCK.split(example.text)}
    return "".join(block for block in _BLOCK.split(sound) if _key(block) not in own) + example.text


def _key(block: str) -> str:
    """Name a block of text that starts at the margin: by its key, or as a comment."""
    return "#" if block.startswith("#") else block.partition(":")[0].strip("'\"")


def _write(path: Path, content: str | bytes | Link) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Link):
        path.symlink_to(content.target)
    else:
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
