"""The Python environments of the contestants: ours, and one for each generation of zarr."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent
NEWEST = ("3.14", "3.13", "3.12")
PYTHONS = {"ours": (*NEWEST, "3.11"), "zarr2": ("3.11",), "zarr3": NEWEST}
PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


@dataclass(frozen=True)
class Environment:
    """A Python with its packages."""

    name: str
    python: Path

    def versions(self) -> dict[str, str]:
        """Give the version of Python and of every package."""
        said = subprocess.run([self.python, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
        return json.loads(said)


VERSIONS = """
import importlib.metadata, json, platform
found = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
print(json.dumps({"python": platform.python_version(), **dict(sorted(found.items()))}))
"""


def environments(folder: Path) -> dict[str, Environment]:
    """Install what is missing, and give all environments by name; ``OURS`` names another Python for Bakehouse."""
    found = {name: _environment(name, folder) for name in PYTHONS}
    _compile(found["ours"].python, PROJECT / "src")
    return found


def _environment(name: str, folder: Path) -> Environment:
    if name == "ours" and "OURS" in os.environ:
        return Environment(name, Path(os.environ["OURS"]))
    own = ("--no-deps", "--editable", str(PROJECT)) if name == "ours" else ()
    return installed(name, PYTHONS[name], HERE / f"requirements-{name}.txt", folder / "envs" / name, own)


def installed(
    name: str, pythons: tuple[str, ...], requirements: Path, folder: Path, own: tuple[str, ...] = ()
) -> Environment:
    """Make an environment unless it was made from these very requirements; its modules are compiled to bytecode.

    `own` is what pip is told after the requirements are there, if anything.
    """
    python = folder / "bin/python"
    stamp = folder / ".requirements"
    if stamp.exists() and stamp.read_text() == requirements.read_text():
        return Environment(name, python)
    print(f"installing {name} into {folder}", flush=True)
    subprocess.run([_python(pythons), "-m", "venv", "--clear", folder], check=True)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    with (folder / "install.log").open("w") as log:
        for asked in filter(None, (("-r", requirements), own)):
            subprocess.run([*pip, *asked], check=True, stderr=log)
    _compile(python, folder / "lib")
    stamp.write_text(requirements.read_text())
    return Environment(name, python)


def _compile(python: Path, folder: Path) -> None:
    """Compile modules to bytecode, so that nobody pays for it at start-up; some packages ship what can't be."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", folder], env=env, stdout=subprocess.DEVNULL)


def _python(wanted: tuple[str, ...]) -> str:
    """Find an interpreter of the first version that there is, on the path or among pyenv's."""
    for version in wanted:
        for each in _candidates(version):
            said = subprocess.run([each, "-c", PROBE], capture_output=True, text=True)
            if said.stdout.strip() == version:
                return each
    raise SystemExit(f"no Python {' or '.join(wanted)} with venv, on the path or in pyenv")


def _candidates(version: str) -> Iterator[str]:
    if found := shutil.which(f"python{version}"):
        yield found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True))
