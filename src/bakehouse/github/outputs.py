"""What a step hands to the steps after it, and to the page of its run: files that GitHub names in the environment."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakehouse.github.plain import plain

SUMMARY_LIMIT = 900_000
"""Characters of a step's summary; GitHub takes 1 MiB."""
VALUE_LIMIT = 100_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


def write(name: str, value: Any, environment: Mapping[str, str] = os.environ) -> None:
    """Set an output of the step: text as it is, everything else as JSON. Outside of a job nothing is written.

    A value can't set another output: the line that ends it is drawn at random. What is in it is still a stranger's
    word: a workflow hands it to a script as a variable of its environment, never as part of the script.

    Raises
    ------
    ValueError
        If the name is none, or the value holds what can't be written.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't name an output")
    path = environment.get("GITHUB_OUTPUT")
    if path:
        _append(Path(path), _assignment(name, _text(value)))


def summary(markdown: str, environment: Mapping[str, str] = os.environ) -> None:
    """Add to the summary of the step. Outside of a job nothing is written.

    Parameters
    ----------
    markdown
        Made by `bakehouse.github.markdown`; what is longer than GitHub takes is left out as a whole.
    """
    path = environment.get("GITHUB_STEP_SUMMARY")
    if path:
        short = markdown if len(markdown) <= SUMMARY_LIMIT else "This summary is too long to be shown.\n"
        _append(Path(path), short if short.endswith("\n") else f"{short}\n")


def _text(value: Any) -> str:
    r"""Write a value.

    Examples
    --------
    >>> _text("a"), _text(True), _text(["sst", "a\nb"])
    ('a', 'true', '["sst", "a\\nb"]')
    """
    text = value if isinstance(value, str) else json.dumps(value, allow_nan=False)
    if len(text) > VALUE_LIMIT:
        raise ValueError(f"an output of {len(text)} characters; at most {VALUE_LIMIT} are written")
    return plain(text, VALUE_LIMIT, lines=True)


def _assignment(name: str, text: str) -> str:
    end = f"end-{secrets.token_hex(16)}"
    return f"{name}<<{end}\n{text}\n{end}\n"


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
