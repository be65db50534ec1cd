"""Read the settings of pangeo-forge-runner: configuration files in Python or JSON, and ``--Class.trait=value``.

A file in Python is its user's own program and is run. `traitlets`, which upstream reads them with, would drop where a
setting stands, and pass over what it does not know with a warning.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakehouse.errors import UsageError


@dataclass(frozen=True)
class Setting:
    """One trait of one class, what it is set to, and where."""

    owner: str
    trait: str
    value: Any
    place: str
    is_text: bool = False

    @property
    def name(self) -> str:
        """Name it as its author does."""
        return f"{self.owner}.{self.trait}"


def read_settings(file: Path | None, words: Sequence[str]) -> list[Setting]:
    """Read a file and ``Class.trait=value`` words; the words come last, and so win.

    Raises
    ------
    UsageError
        If the file can't be read or run, or a word is of another form.
    """
    return [*(_of_file(file) if file else []), *map(_of_word, words)]


def _of_word(word: str) -> Setting:
    name, _, value = word.partition("=")
    owner, _, trait = name.partition(".")
    return Setting(owner, trait, value, f"--{name}", is_text=True)


def _of_file(file: Path) -> list[Setting]:
    if not file.is_file():
        raise UsageError("there is no such configuration file", str(file), None, "name a .py or .json file")
    return _of_json(file) if file.suffix == ".json" else _of_python(file)


def _of_json(file: Path) -> list[Setting]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text)
        pairs = [(owner, traits.items()) for owner, traits in found.items() if owner != "version"]
        return [Setting(owner, trait, value, _line_of(file, text, trait, owner)) for owner, traits in pairs
                for trait, value in traits]  # fmt: skip
    except (ValueError, AttributeError) as error:
        cause = str(error) if isinstance(error, ValueError) else "it is not of the form {Class: {trait: value}}"
        raise UsageError("the configuration can't be read", str(file), cause, "correct the file") from None


def _line_of(file: Path, text: str, trait: str, owner: str) -> str:
    """Find the line of a trait behind that of its class."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if f'"{owner}"' in line), 0)
    number = next((n for n, line in enumerate(lines[start:], start + 1) if f'"{trait}"' in line), start + 1)
    return f"{file}:{number}"


def _of_python(file: Path) -> list[Setting]:
    settings: list[Setting] = []
    config = _Config(settings)
    try:
        with redirect_stdout(sys.stderr):
            _run(file, config)
    except UsageError:
        raise
    except Exception as error:
        raise _failed(file, error) from error
    return settings


def _run(file: Path, config: _Config) -> None:
    names = {
        "c": config,
        "get_config": lambda: config,
        "load_subconfig": lambda name, path=None: _run(Path(path or file.parent, name), config),
        "__file__": str(file),
        "__name__": "__main__",
    }
    exec(compile(file.read_bytes(), str(file), "exec"), names)


def _failed(file: Path, error: Exception) -> UsageError:
    """Say in which line a configuration failed; what it misses most often is a variable of the environment."""
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(file) else line
        trace = trace.tb_next
    said = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    fix = f"set the environment variable {said}" if isinstance(error, KeyError) and said.isidentifier() else None
    if isinstance(error, ModuleNotFoundError):
        fix = f"install '{error.name}', or leave the import out"
    return UsageError(f"the configuration failed: {type(error).__name__}: {said}", f"{file}:{line or 1}", None, fix)


class _Config:
    """What `c` is in a configuration file: classes by name, each made when it is named first."""

    _settings: list[Setting]

    def __init__(self, settings: list[Setting]) -> None:
        self.__dict__["_settings"] = settings

    def __getattr__(self, owner: str) -> _Traits:
        if owner.startswith("__"):
            raise AttributeError(owner)
        return _Traits(owner, self._settings)

    __getitem__ = __getattr__

    def __setattr__(self, owner: str, traits: Any) -> None:
        for trait, value in dict(traits).items():
            self._settings.append(Setting(owner, trait, value, _here()))

    __setitem__ = __setattr__


class _Traits:
    """One class in a configuration file: setting a trait notes it, with its line."""

    def __init__(self, owner: str, settings: list[Setting]) -> None:
        self.__dict__.update(_owner=owner, _settings=settings)

    def __getattr__(self, trait: str) -> Any:
        found = [each.value for each in self._set() if each.trait == trait]
        if trait.startswith("__"):
            raise AttributeError(trait)
        if not found:
            found = [{}]
            self._settings.append(Setting(self._owner, trait, found[0], _here()))
        return found[-1]

    __getitem__ = __getattr__

    def __setattr__(self, trait: str, value: Any) -> None:
        self._settings.append(Setting(self._owner, trait, value, _here()))

    __setitem__ = __setattr__

    def update(self, *others: Any, **traits: Any) -> None:
        """Set several traits."""
        for trait, value in dict(*others, **traits).items():
            self._settings.append(Setting(self._owner, trait, value, _here()))

    def _set(self) -> Iterator[Setting]:
        return (each for each in self._settings if each.owner == self._owner)


def _here() -> str:
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
