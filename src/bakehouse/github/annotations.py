"""Notes beside the lines of a pull request, and text of others in a job's log that must not be taken for orders."""

from __future__ import annotations

from typing import Literal

from bakehouse.github.plain import plain

Level = Literal["error", "warning", "notice"]
MESSAGE_LIMIT, TITLE_LIMIT, PATH_LIMIT, QUOTE_LIMIT = 2000, 200, 400, 20_000
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def line(level: Level, path: str, line: int, col: int, title: str, message: str) -> str:
    r"""Write the command that puts a note beside a line of a file.

    Examples
    --------
    >>> line("error", "feedstocks/a,b/meta.yaml", 3, 10, "BH303", "unknown\n::error::licence")
    '::error file=feedstocks/a%2Cb/meta.yaml,line=3,col=10,title=BH303::unknown%0A::error::licence'
    """
    if level not in ("error", "warning", "notice"):
        raise ValueError(f"{level!r} is no level of an annotation")
    where = {"file": plain(path, PATH_LIMIT), "line": max(int(line), 1), "col": max(int(col), 1)}
    properties = {**where, "title": plain(title, TITLE_LIMIT)}
    said = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{level} {_unmarked(said)}::{_unmarked(plain(message, MESSAGE_LIMIT, lines=True)).translate(_MESSAGE)}"


def quoted(text: str, limit: int = QUOTE_LIMIT) -> str:
    r"""Give what another program printed as it may stand in a job's log: none of its lines is a command.

    Examples
    --------
    >>> print(quoted("hello\n  ::set-output name=run::true\n##[add-mask]a"))
    | hello
    |   ::set-output name=run::true
    | ## [add-mask]a
    """
    return "\n".join(f"| {each}" for each in _unmarked(plain(text, limit, lines=True)).split("\n"))


def _unmarked(text: str) -> str:
    """Part the older mark of a command, which counts anywhere in a line."""
    return text.replace("##[", "## [")
