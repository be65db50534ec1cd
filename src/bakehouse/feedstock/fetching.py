"""Fetch a feedstock's repository with git, one folder per commit, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from bakehouse.errors import RecipeError, UsageError
from bakehouse.feedstock.cachedir import cache_folder

TRANSPORTS = ("https", "ssh", "file")
_URL = re.compile(r"[A-Za-z][\w+.-]*://.+")
_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!//).+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_QUIET = {"GIT_ALLOW_PROTOCOL": ":".join(TRANSPORTS), "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}


def is_address(text: str) -> bool:
    """Say whether text is the address of a repository rather than a path.

    Examples
    --------
    >>> is_address("https://example.org/a.git"), is_address("git@example.org:o/a.git"), is_address("./a")
    (True, True, False)
    """
    return bool(_URL.fullmatch(text) or _SCP.fullmatch(text)) or "::" in text


def fetch(address: str, ref: str | None = None) -> Path:
    """Give a checkout of a repository at a branch, a tag or a commit; by default, of its default branch.

    A commit that was fetched before is not fetched again. No submodules, no hooks, and only transports that run no
    other program.

    Raises
    ------
    UsageError
        If the address is none that is fetched.
    RecipeError
        If git can't fetch it.
    """
    _insist_safe(address, ref)
    repository = cache_folder() / "feedstocks" / hashlib.sha256(address.encode()).hexdigest()[:16]
    name = _name(address)
    if ref and _COMMIT.fullmatch(ref) and (repository / ref / name).is_dir():
        return repository / ref / name
    repository.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=repository) as scratch:
        checkout = Path(scratch) / name
        commit = _checkout(checkout, address, ref)
        kept = repository / commit
        if not (kept / name).is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            Path(scratch, "ready").mkdir()
            os.rename(checkout, Path(scratch, "ready", name))
            _settle(Path(scratch, "ready"), kept)
    return kept / name


def commit_of(folder: Path) -> str | None:
    """Give the commit that a repository's folder has checked out; None if it is none."""
    if not (folder / ".git").exists():
        return None
    try:
        return _git(folder, str(folder), "rev-parse", "--verify", "--quiet", "HEAD", check=False)
    except RecipeError:
        return None


def _settle(made: Path, kept: Path) -> None:
    """Put a finished checkout in its place, unless another process was faster."""
    try:
        os.rename(made, kept)
    except OSError:
        if not kept.is_dir():
            raise


def _insist_safe(address: str, ref: str | None) -> None:
    scheme = urlsplit(address).scheme.lower() if "://" in address else "ssh"
    local = os.path.isabs(address)
    fix = "name it as https://…, ssh://…, file://… or user@host:path"
    if "::" in address or not (local or scheme in TRANSPORTS):
        raise UsageError("a repository of this kind is not fetched", address, None, fix)
    for word in (address, ref or ""):
        if word.startswith("-"):
            raise UsageError(f"'{word}' looks like an option", address, None, fix)


def _name(address: str) -> str:
    """Name the checkout, and so the feedstock, as its repository is called.

    Examples
    --------
    >>> _name("https://example.org/o/chirps_feedstock.git"), _name("git@example.org:gpcp/")
    ('chirps_feedstock', 'gpcp')
    """
    name = re.split(r"[/:]", address.rstrip("/"))[-1].removesuffix(".git")
    if not name or name.startswith("."):
        raise UsageError("the address names no repository", address, None, "end it with the repository's name")
    return name


def _checkout(folder: Path, address: str, ref: str | None) -> str:
    """Fetch one commit; a server that gives none by its name is asked for all of them."""
    _git(folder.parent, address, "init", "--quiet", str(folder))
    shallow = _git(folder, address, "fetch", "--quiet", "--depth=1", address, ref or "HEAD", check=False)
    wanted = "FETCH_HEAD"
    if shallow is None:
        refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
        _git(folder, address, "fetch", "--quiet", address, *refs)
        wanted = ref or "refs/remotes/origin/HEAD"
    commit = _git(folder, address, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}", check=False)
    if not commit:
        fix = "name a branch, a tag or a commit that is there"
        raise RecipeError(f"the repository has no '{ref or 'HEAD'}'", address, None, fix)
    _git(folder, address, "checkout", "--quiet", "--detach", commit)
    return commit


def _git(folder: Path, address: str, *words: str, check: bool = True) -> str | None:
    """Run git with nothing of the user's that could run programs; give what it prints, or None if it fails."""
    safe = ["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false"]
    try:
        ran = subprocess.run(
            ["git", *safe, *words], cwd=folder, env={**os.environ, **_QUIET}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise RecipeError("git is not installed", address, None, "install git, or name a folder") from None
    if ran.returncode == 0:
        return ran.stdout.strip()
    if not check:
        return None
    said = [line for line in ran.stderr.splitlines() if line.strip()]
    cause = next((line for line in said if line.startswith(("fatal:", "error:"))), said[0] if said else None)
    raise RecipeError(
        "the repository can't be fetched", address, cause, "check the address, your access and the network"
    )
