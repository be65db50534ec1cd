"""What git says about a change: between the point where a branch left another and its end, nothing checked out."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bakehouse.errors import UsageError
from bakehouse.github.scope import Change, Kind, Scope, judge

LIMIT_S = 120
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "LD_LIBRARY_PATH")
_KINDS: dict[str, Kind] = {"120000": "link", "160000": "submodule"}
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def scope_between(root: Path, base: str, head: str = "HEAD") -> Scope:
    """Say what a branch touches since it left another one.

    Raises
    ------
    UsageError
        If one of them is not there, or they have no commit in common.
    """
    first, last = commit(root, base), commit(root, head)
    raw = git(root, "diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", f"{first}...{last}", "--")
    return judge(_changes(root, raw), feedstocks_at(root, last))


def commit(root: Path, name: str) -> str:
    """Give the full hash of a commit.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    found = git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    if not _COMMIT.fullmatch(found):
        raise UsageError(f"{name!r} names no commit", str(root), None, "fetch it: actions/checkout with fetch-depth: 0")
    return found


def feedstocks_at(root: Path, name: str) -> list[str]:
    """List the folders of feedstocks at a commit; what is a link or a file is none."""
    listed = git(root, "ls-tree", "-d", "-z", "--name-only", name, "--", "feedstocks/")
    return [_text(path).removeprefix("feedstocks/") for path in listed.split(b"\0") if path]


def git(root: Path, *words: str) -> bytes:
    """Ask git, and nobody else: no pager, no prompt, no settings but the repository's.

    Raises
    ------
    UsageError
        If it fails; what it says is the cause.
    """
    kept = {key: value for key, value in os.environ.items() if key in _KEPT}
    environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    ran = subprocess.run(
        ["git", *safe, *words], cwd=root, env=environment, capture_output=True, timeout=LIMIT_S, check=False
    )
    if ran.returncode and ran.stderr:
        said = ran.stderr.decode(errors="replace").strip()
        raise UsageError(f"git {words[0]} failed", str(root), said, "fetch the history: fetch-depth: 0")
    return ran.stdout


def _changes(root: Path, raw: bytes) -> Iterator[Change]:
    """Read ``:MODE MODE HASH HASH STATUS`` and paths by turns."""
    fields = iter(raw.split(b"\0"))
    for about in fields:
        if not about:
            return
        _, mode, _, blob, status = about.decode("ascii").split(" ")
        kind = _KINDS.get(mode, "file")
        target = _text(git(root, "cat-file", "blob", blob)) if kind == "link" else ""
        yield Change(_text(next(fields)), status.startswith("D"), kind, target)


def _text(path: bytes) -> str:
    """Read a path; bytes that are no UTF-8 stay told apart."""
    return path.decode("utf-8", errors="backslashreplace")
