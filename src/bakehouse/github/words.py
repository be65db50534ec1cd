"""Parts of comments that several flows write: places in files, errors, sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from bakehouse.github import markdown
from bakehouse.github.result import Failure, Finding

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ -]*(/[A-Za-z0-9_][A-Za-z0-9._ -]*)*")


@dataclass(frozen=True)
class Places:
    """Where links of a comment lead; all of it comes from GitHub, nothing from the documents that are shown.

    `files` is the page of a repository at a commit, `run` that of the workflow's run.
    """

    files: str = ""
    run: str = ""

    def file(self, path: str, line: int = 1, col: int | None = None) -> str:
        """Name a place in a file, with a link if its path is an ordinary one."""
        shown = f"{path}:{line}" + (f":{col}" if col else "")
        if not self.files or not _PLAIN.fullmatch(path):
            return markdown.span(shown)
        return f"[{markdown.span(shown)}]({self.files}/{quote(path)}#L{line})"


def finding(found: Finding, places: Places) -> str:
    """Write one finding as an item of a list."""
    said = f"**{markdown.text(found.code, 40)}** {markdown.text(found.message)}"
    return f"- {places.file(found.path, found.line, found.col)} {said}\n  - fix: {markdown.text(found.fix)}"


def failure(step: str, found: Failure, place: str | None = None) -> str:
    """Write what stopped a step, as one screen of a terminal shows it."""
    parts = (("where: ", found.where), ("cause: ", found.cause), ("fix:   ", found.fix))
    lines = [f"  {label}{text}" for label, text in parts if text]
    at = f" at {place}" if place else ""
    return f"**{step}** stopped{at}:\n\n" + markdown.code(
        "\n".join([f"{found.error}: {found.message}", *lines]), "text"
    )


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Write a number of things.

    Examples
    --------
    >>> count(1, "input"), count(12000, "input"), count(2, "entry", "entries")
    ('1 input', '12,000 inputs', '2 entries')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
