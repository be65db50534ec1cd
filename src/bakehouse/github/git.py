"""Git's command line, with the job's token where only git sees it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bakehouse.errors import PublishError, UsageError
from bakehouse.github.masking import Mask

BOT = "github-actions[bot]"
BOT_MAIL = "41898282+github-actions[bot]@users.noreply.github.com"
TIMEOUT_S = 600
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


@dataclass(frozen=True)
class Git:
    """A repository on disk, and the environment that git gets."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, *words: str) -> str:
        """Run a command of git; give what it printed.

        Raises
        ------
        PublishError
            If it fails.
        """
        done = self.attempt(*words)
        if done.returncode:
            raise PublishError(f"git {words[0]} failed", None, self.said(done), None)
        return done.stdout

    def attempt(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of git, which may fail; no hook of the repository runs."""
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", *words]
        return subprocess.run(
            command, cwd=self.folder, env=dict(self.environment), capture_output=True, text=True, check=False,
            errors="replace", stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
        )  # fmt: skip

    def said(self, done: subprocess.CompletedProcess[str]) -> str:
        """Give the last lines that a command printed, without secrets."""
        lines = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        return Mask.of(self.environment)("\n".join(lines[-8:]))


def safe_branch(name: str) -> str:
    """Give the name of a branch back.

    Raises
    ------
    UsageError
        If it is more than letters, digits, '.', '_', '-' and '/', or not what git allows.

    Examples
    --------
    >>> safe_branch("bakehouse/publish-sst")
    'bakehouse/publish-sst'
    """
    if not _BRANCH.fullmatch(name) or ".." in name or name.endswith((".", ".lock")) or len(name) > 200:
        raise UsageError(f"{name[:200]!r} can't name a branch here", None, None, "use letters, digits, '-' and '/'")
    return name


def remote_of(root: Path) -> str:
    """Give the address of a checkout's origin, without credentials.

    Raises
    ------
    UsageError
        If it has none.
    """
    done = Git(root, dict(os.environ)).attempt("config", "--get", "remote.origin.url")
    url = done.stdout.strip()
    if done.returncode or not url:
        raise UsageError("the project has no remote called origin", str(root), None, "run: git remote add origin URL")
    if "://" not in url:
        return url if ":" in url.partition("/")[0] else str((root / url).resolve())
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def git_environment(url: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Make git's environment: the token goes to this server alone, and shows in no argument, no file and no address."""
    named = {name: value for role in ("AUTHOR", "COMMITTER") for name, value in _person(role)}
    settings = [("credential.helper", ""), ("protocol.ext.allow", "never"), *_header(url, environment)]
    given = {
        f"GIT_CONFIG_{kind}_{i}": said[k] for i, said in enumerate(settings) for k, kind in enumerate(("KEY", "VALUE"))
    }
    kept = {name: value for name, value in environment.items() if not name.startswith("GIT_")}
    return {**kept, **named, **given, "GIT_CONFIG_COUNT": str(len(settings)), "GIT_TERMINAL_PROMPT": "0"}


def _person(role: str) -> list[tuple[str, str]]:
    return [(f"GIT_{role}_NAME", BOT), (f"GIT_{role}_EMAIL", BOT_MAIL)]


def _header(url: str, environment: Mapping[str, str]) -> list[tuple[str, str]]:
    server, token = environment.get("GITHUB_SERVER_URL", "https://github.com"), environment.get("GITHUB_TOKEN", "")
    if not token or urlsplit(url)[:2] != urlsplit(server)[:2]:
        return []
    value = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return [(f"http.{server.rstrip('/')}/.extraheader", f"AUTHORIZATION: basic {value}")]
