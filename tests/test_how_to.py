"""How-to guides: every command that they show is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from bakehouse.cli import main

PAGES = sorted((Path(__file__).resolve().parents[1] / "docs" / "how-to").glob("*.md"))
SHOWN = re.compile(r"^\$ bakehouse (.+)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_how_to_is_taken(page: Path) -> None:
    for found in SHOWN.findall(page.read_text(encoding="utf-8")):
        group: click.Command = main
        words = shlex.split(found, comments=True)
        while isinstance(group, click.Group):
            group = group.commands[words.pop(0)]
        group.make_context("bakehouse", words)
