"""What checks say: how many of how many were looked at, what holds, and every problem with its fix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bakehouse.errors import VerifyError

SHOWN = 20
AGAIN = "run the bake again: it writes anew what is missing or damaged"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `fix` is given where it is not that of the whole run.

    A `stray` is something that nobody wrote, beside what is as it was written.
    """

    what: str
    fix: str | None = None
    stray: bool = False

    def __str__(self) -> str:
        return f"{self.what}: {self.fix}" if self.fix else self.what


@dataclass(frozen=True)
class Statement:
    """What one check looked at, and what it may say of it if it found no problem.

    Examples
    --------
    >>> Statement("checksums", 132, 132, "objects", "equal the proof").text
    'all 132 objects equal the proof'
    >>> Statement("checksums", 40, 132, "objects", "equal the proof", "chosen by their tasks' digests").text
    "40 of 132 objects equal the proof (sampled: chosen by their tasks' digests)"
    >>> Statement("objects", 132, 132, "objects", "there", wrong=2).text
    'all 132 objects looked at: 2 problems'
    >>> Statement("values", 0, 300, "tasks", "", "objects are damaged").text
    'not looked at: objects are damaged'
    """

    check: str
    looked_at: int
    of: int
    unit: str
    says: str
    how: str = ""
    wrong: int = 0

    @property
    def coverage(self) -> str:
        """Give ``exhaustive``, ``sampled`` or ``none``."""
        if self.looked_at == self.of:
            return "exhaustive"
        return "sampled" if self.looked_at else "none"

    @property
    def text(self) -> str:
        """Say it in one line."""
        if self.coverage == "none":
            return f"not looked at: {self.how}"
        many = f"all {self.of:,}" if self.looked_at == self.of else f"{self.looked_at:,} of {self.of:,}"
        amount = f"{many} {self.unit}" if self.unit else ""
        problems = f"{self.wrong} problem{'s' if self.wrong > 1 else ''}"
        said = f"{amount} looked at: {problems}" if self.wrong else f"{amount} {self.says}"
        return said.strip() + (f" (sampled: {self.how})" if self.coverage == "sampled" else "")

    def as_dict(self) -> dict[str, Any]:
        """Give the statement as one JSON-ready mapping."""
        return {
            "coverage": self.coverage,
            "looked_at": self.looked_at,
            "of": self.of,
            "unit": self.unit,
            "problems": self.wrong,
            "says": self.text,
        }


@dataclass(frozen=True)
class Checked:
    """What checks found, together; true if there is any problem.

    Examples
    --------
    >>> one = Checked.of(Statement("objects", 2, 2, "objects", "there"), ["object 'a/c/0' is missing"])
    >>> both = one + Checked.of(Statement("root", 1, 1, "", "the registered one"), [])
    >>> bool(both), [s.text for s in both.statements]
    (True, ['all 2 objects looked at: 1 problem', 'the registered one'])
    """

    problems: tuple[Problem, ...] = ()
    statements: tuple[Statement, ...] = ()

    @classmethod
    def of(cls, statement: Statement, problems: Iterable[Problem | str]) -> Checked:
        """Put a statement and the problems that it is about together."""
        found = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        return cls(found, (replace(statement, wrong=len(found)),))

    def __add__(self, other: Checked) -> Checked:
        return Checked(self.problems + other.problems, self.statements + other.statements)

    def __bool__(self) -> bool:
        return bool(self.problems)


class NotWholeError(VerifyError):
    """A store with problems: all of them, and what was looked at."""

    def __init__(
        self,
        message: str,
        where: str | None = None,
        cause: str | None = None,
        fix: str | None = None,
        checked: Checked = Checked(),
    ) -> None:
        super().__init__(message, where, cause, fix)
        self.args = (message, where, cause, fix, checked)
        self.checked = checked

    def as_dict(self) -> dict[str, Any]:
        """Give the error as one JSON-ready mapping, with every problem."""
        problems = [{"what": p.what, "fix": p.fix or self.fix} for p in self.checked.problems]
        return {**super().as_dict(), "error": VerifyError.__name__, "problems": problems}


def stop_on(
    checked: Checked | Sequence[str], where: str, fix: str = AGAIN, what: str = "the store is not whole"
) -> None:
    """Raise what was found: all problems at once, the first twenty of them on the screen.

    Parameters
    ----------
    fix
        What to do about problems that have no fix of their own.
    what
        How the message begins.

    Raises
    ------
    NotWholeError
        If there is any problem.
    """
    found = checked if isinstance(checked, Checked) else Checked(tuple(Problem(text) for text in checked))
    if not found:
        return
    lines = [str(problem) for problem in found.problems]
    more = [f"… and {len(lines) - SHOWN:,} more: --json lists them all"] if len(lines) > SHOWN else []
    common = fix if any(problem.fix is None for problem in found.problems) else None
    if len(lines) == 1:
        raise NotWholeError(f"{what}: {found.problems[0].what}", where, None, found.problems[0].fix or fix, found)
    shown = "\n".join([*lines[:SHOWN], *more])
    raise NotWholeError(f"{what}: {len(lines):,} problems", where, shown, common, found)
