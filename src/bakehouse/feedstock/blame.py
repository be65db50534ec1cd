"""Whose fault it was: the line of the author's code, and the input that it was called with."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bakehouse.errors import BakehouseError, RecipeError
from bakehouse.feedstock.folder import Feedstock
from bakehouse.feedstock.places import short
from bakehouse.meta.legacy import legacy_error
from bakehouse.meta.load import REQUIREMENTS


def blame(error: BaseException, feedstock: Feedstock, what: str) -> BakehouseError:
    """Turn an exception from an author's code into one that names file, line and function, and the input."""
    if isinstance(error, BakehouseError):
        return error
    if isinstance(error, ImportError) and (legacy := _legacy_helper(error, feedstock)):
        return legacy
    place, code = _culprit(error, feedstock)
    where = "\n".join(filter(None, (f"{place}{code}", _input_of(error))))
    fix = "run again with --debug for the traceback"
    if isinstance(error, ModuleNotFoundError) and error.name:
        fix = f"install '{error.name}', or correct the import"
        if (feedstock.code / REQUIREMENTS).is_file():
            fix += f"; --isolated installs what {short(str(feedstock.code / REQUIREMENTS), feedstock)} names"
    return RecipeError(
        f"{what}: {type(error).__name__}: {_without_stage(_text_of(error))}".rstrip(": "), where, None, fix
    )


def legacy_in(file: str, feedstock: Feedstock, export: str | None = None) -> RecipeError | None:
    """Say whether a module is written for pangeo-forge-recipes 0.9 or earlier, and how its recipe is written now."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return legacy_error(text, short(file, feedstock), export, str(feedstock.repository or feedstock.folder))


def _legacy_helper(error: ImportError, feedstock: Feedstock) -> RecipeError | None:
    """Look at the author's module in which an import failed."""
    files = [frame.filename for frame in _frames(error) if frame.filename.startswith(str(feedstock.folder))]
    return legacy_in(files[-1], feedstock) if files else None


def _culprit(error: BaseException, feedstock: Feedstock) -> tuple[str, str]:
    """Find the innermost line of the project's own code, and what stands there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{short(error.filename, feedstock)}:{error.lineno}", f"\n{(error.text or '').strip()}"
    own = (str(feedstock.folder), str(feedstock.root / "recipes"))
    frames = [f for f in _frames(error) if f.filename.startswith(own)]
    if not frames:
        return feedstock.id, ""
    line = f"\n{frames[-1].line}" if frames[-1].line else ""
    return f"{short(frames[-1].filename, feedstock)}:{frames[-1].lineno}, in {frames[-1].name}", line


def _input_of(error: BaseException) -> str | None:
    """Name the input that a step was called with when it failed."""
    from bakehouse.transforms.index import SourcedIndex

    for values in _local_values(error):
        for value in [*values, *(each for group in values if isinstance(group, tuple) for each in group)]:
            if isinstance(value, SourcedIndex):
                return value.source.where
    return None


def _local_values(error: BaseException) -> Iterator[list[Any]]:
    seen: BaseException | None = error
    while seen is not None:
        yield from (list(frame.f_locals.values()) for frame, _ in traceback.walk_tb(seen.__traceback__))
        seen = seen.__cause__ or seen.__context__


def _text_of(error: BaseException) -> str:
    """Give an exception's text; a KeyError's own is quoted."""
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    seen: BaseException | None = error
    while seen is not None:
        yield from traceback.extract_tb(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__


def _without_stage(text: str) -> str:
    return text.rpartition(" [while running")[0] or text
