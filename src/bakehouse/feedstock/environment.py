"""Virtual environments that add a feedstock's requirements to the engine's own; each is made once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bakehouse.errors import RecipeError
from bakehouse.feedstock.cachedir import cache_folder
from bakehouse.feedstock.requirements import Wanted, engine_versions, floor_of
from bakehouse.storage.locking import alone

READY = "ready"
LONG = 200
TOGETHER = ("gcsfs", "s3fs", "adlfs")
NEVER = 'sys_platform == "never"'
ADDED = "import site; site.addsitedir({0!r})\n"


def environment(wanted: Wanted, file: Path) -> Path:
    """Give the interpreter of an environment that has what is wanted, and the engine as it is here.

    It is made of links to this environment and of what is missing in it, so what is there already is neither fetched
    nor installed again. `uv` does it if there is one, else `venv` and pip.

    Raises
    ------
    RecipeError
        If something can't be installed.
    """
    folder = cache_folder() / "environments"
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / _digest(wanted, file)
    python = home / "bin" / "python"
    with alone(str(folder)):
        if not (home / READY).is_file():
            shutil.rmtree(home, ignore_errors=True)
            _make(home, python, wanted, file)
            (home / READY).touch()
    return python


def _digest(wanted: Wanted, file: Path) -> str:
    """Name an environment by all that it is made from; local paths count from the file's folder."""
    lines = (*wanted.install, *wanted.options)
    local = any(mark in line for line in lines for mark in ("./", "-e", "find-links", "-f"))
    parts = [*lines, sys.version, sys.prefix, *_site_folders(), *(f"{k}=={v}" for k, v in engine_versions().items())]
    return hashlib.sha256(json.dumps([parts, str(file.parent) if local else ""]).encode()).hexdigest()[:16]


def _make(home: Path, python: Path, wanted: Wanted, file: Path) -> None:
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], wanted, file)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run([sys.executable, "-m", "venv", str(home)], wanted, file)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "_bakehouse.pth").write_text("".join(ADDED.format(each) for each in _site_folders()), encoding="utf-8")
    lines = [word for line in wanted.install for word in (line.split(maxsplit=1) if line.startswith("-") else [line])]
    _run([*install, *_limits(home, wanted, bool(uv)), *wanted.options, *lines], wanted, file)


def _limits(home: Path, wanted: Wanted, uv: bool) -> list[str]:
    """Keep an installer off the engine: uv, which does not see it, is told that it is not needed; pip, that it stays.

    Packages that follow fsspec's releases day by day bring their own fsspec, of a version that the engine takes.
    """
    together = any(line.startswith(TOGETHER) for line in wanted.install)
    known = {name: version for name, version in engine_versions().items() if not (together and name == "fsspec")}
    floors = [f"fsspec{floor_of('fsspec')}"] if together else []
    pins = floors if uv else [*floors, *(f"{name}=={version}" for name, version in known.items())]
    (home / "constraints.txt").write_text("\n".join(pins), encoding="utf-8")
    (home / "overrides.txt").write_text("\n".join(f"{name}; {NEVER}" for name in known), encoding="utf-8")
    overrides = ["--overrides", str(home / "overrides.txt")] if uv else []
    return ["--constraint", str(home / "constraints.txt"), *overrides]


def _site_folders() -> list[str]:
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [folder for folder in (*site.getsitepackages(), *user) if os.path.isdir(folder)]


def _run(command: list[str], wanted: Wanted, file: Path) -> None:
    """Run an installer where the requirements lie; what can't be installed is one error."""
    ran = subprocess.run(command, cwd=file.parent, env=_plain(os.environ), capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return
    said = [line.strip(" ×╰─▶│") for line in ran.stderr.splitlines() if line.strip(" ×╰─▶│")]
    telling = [line for line in said if not line.startswith(("hint:", "[notice]", "WARNING"))]
    cause = (
        "\n".join(line if len(line) < LONG else f"{line[:LONG]}…" for line in telling[-3:])
        or f"{Path(command[0]).name} ended with {ran.returncode}"
    )
    fix = "check the network and the lines; or install them yourself, and leave --isolated out"
    raise RecipeError(f"can't install {', '.join(wanted.install)}", str(file), cause, fix)


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would make an installer look at another environment."""
    return {name: value for name, value in environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
