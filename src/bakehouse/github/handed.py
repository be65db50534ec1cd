"""Files that another job handed over, read as what they are: anybody's."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bakehouse.errors import PublishError
from bakehouse.github.limited import depth

MAX_FILES = 1000
MAX_BYTES = 1_000_000
MAX_DEPTH = 40


def handed_files(folder: Path, allowed: re.Pattern[str], max_files: int = MAX_FILES) -> list[str]:
    """List the files below a folder, by their paths from there; all of them have to be called as is allowed.

    Raises
    ------
    PublishError
        If there is a link, a device or a name that is not allowed, or too much of everything.
    """
    found = sorted(islice(_walk(folder), max_files + 1))
    if len(found) > max_files:
        raise _refused(f"more than {max_files} files were handed over", folder)
    strange = [name for name in found if not allowed.fullmatch(name)]
    if strange:
        shown = ", ".join(repr(name[:200]) for name in strange[:5])
        raise _refused(f"{len(strange)} of the files that were handed over have no business there: {shown}", folder)
    return found


def _walk(top: Path) -> Iterator[str]:
    """Give the paths of files, one by one."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        _insist_plain(folder, stat.S_ISDIR, "folder")
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            else:
                _insist_plain(path, stat.S_ISREG, "file")
                yield path.relative_to(top).as_posix()


def read_handed(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a file of limited size that is no link.

    Raises
    ------
    PublishError
        If it is not there, no plain file, or too big.
    """
    _insist_plain(path.parent, stat.S_ISDIR, "folder")
    _insist_plain(path, stat.S_ISREG, "file")
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise _refused(f"{path.name} has {path.stat().st_size:,} bytes, allowed are {max_bytes:,}", path)
    return data


def read_document(path: Path, max_bytes: int = MAX_BYTES) -> Any:
    """Read a JSON document of limited size and depth.

    Raises
    ------
    PublishError
        If it is none.
    """
    data = read_handed(path, max_bytes)
    if depth(data) >= MAX_DEPTH:
        raise _refused(f"{path.name} is nested {MAX_DEPTH} deep or deeper", path)
    try:
        return json.loads(data, parse_constant=_no_number)
    except ValueError as error:
        raise _refused(f"{path.name} is not JSON", path, type(error).__name__) from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _insist_plain(path: Path, kind: Any, word: str) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise _refused(f"{path.name[:200]!r} was not handed over", path, type(error).__name__) from None
    if not kind(mode):
        raise _refused(f"{path.name[:200]!r} is not a plain {word}", path)


def _refused(message: str, where: Path, cause: str | None = None) -> PublishError:
    return PublishError(message, str(where), cause, "nothing was published; look at the job that made it")
