"""What lint says: problems at a place in a file, and the rules that they break."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Severity = Literal["lint", "hint"]
Scope = Literal["read", "shape", "file", "feedstock", "project"]


@dataclass(frozen=True, order=True)
class Mark:
    """A place in a file; line and column count from 1."""

    file: Path
    line: int = 1
    col: int = 1


@dataclass(frozen=True)
class Problem:
    """A rule's code broken at a place. `fix` replaces the rule's own when it can be more exact."""

    code: str
    mark: Mark
    message: str
    fix: str | None = None


@dataclass(frozen=True, order=True)
class Finding:
    """A problem as it is reported: a *lint* must be fixed, a *hint* may be.

    Examples
    --------
    >>> print(Finding("feedstocks/oisst/meta.yaml", 3, 10, "BH303", "lint", "unknown licence 'MTI'", "write 'MIT'"))
    feedstocks/oisst/meta.yaml:3:10 BH303 unknown licence 'MTI'; fix: write 'MIT'
    """

    path: str
    line: int
    col: int
    code: str
    severity: Severity
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.col} {self.code} {self.message}; fix: {self.fix}"

    def as_dict(self) -> dict[str, Any]:
        """Give the finding as one JSON-ready mapping."""
        return {
            "path": self.path,
            "line": self.line,
            "col": self.col,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "fix": self.fix,
        }


SAME = "{same}"
"""In an example: the content of the sound feedstock's file of that name."""


@dataclass(frozen=True)
class Link:
    """A symbolic link in an example, by its target."""

    target: str


@dataclass(frozen=True)
class Example:
    """What a rule refuses or accepts.

    `text` is the part of a meta.yaml that matters, the feedstock's or the project's (`target`): its top-level keys
    replace those of a sound meta.yaml, or, if `whole`, it is the file. `files` lie beside meta.yaml or, if the path
    starts with ``/``, in the project's root. `also` names hints that can't be told apart from this rule.
    """

    text: str = ""
    files: Mapping[str, str | bytes | Link] = field(default_factory=dict)
    whole: bool = False
    target: Literal["feedstock", "project"] = "feedstock"
    also: tuple[str, ...] = ()


Check = Callable[[Any], Iterable[Problem]]


@dataclass(frozen=True)
class Rule:
    """One thing that lint looks for, documented where it is checked.

    `scope` says what is looked at: the text while it is read (`read`), its shape against the models (`shape`), any
    meta.yaml (`file`), a feedstock or the whole project. Lints of the first two also stop a file from loading.
    """

    code: str
    name: str
    severity: Severity
    scope: Scope
    title: str
    why: str
    fix: str
    bad: Example
    good: Example
    check: Check | None = None

    def finding(self, problem: Problem, root: Path) -> Finding:
        """Report a problem with this rule's severity, its file named from the project's root."""
        mark = problem.mark
        path = relative(mark.file, root)
        return Finding(path, mark.line, mark.col, self.code, self.severity, problem.message, problem.fix or self.fix)


def relative(file: Path, root: Path) -> str:
    """Name a file from the project's root, with forward slashes, wherever that is possible."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
