"""Import a feedstock's recipes and write down what they are made of: a program of its own, kept off the network."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

REFUSED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen",
           "os.system", "os.exec", "os.posix_spawn", "os.fork")  # fmt: skip
OFFLINE = "there is no network while a feedstock is imported"
TRANSFORMS = "bakehouse.compat."
LEFT_OUT = ("target_root", "combine_dims")


def main(task: Mapping[str, Any]) -> dict[str, Any]:
    """Describe each recipe, by id; one that can't be imported by the reason."""
    from bakehouse.bakeries import quiet_beam
    from bakehouse.compat import install
    from bakehouse.meta.models import RecipeEntry

    quiet_beam()
    install()
    sys.addaudithook(_refuse)
    found: dict[str, Any] = {}
    with _recorded() as patterns:
        for number, given in enumerate(task["entries"]):
            entry = RecipeEntry.model_validate(given)
            described = _described(task, entry, patterns, f"#{number}") if entry.kind != "linked" else {}
            found |= {name: {**each, "entry": number} for name, each in described.items()}
    return found


def _refuse(event: str, arguments: Any) -> None:
    if event in REFUSED:
        raise OSError(f"{OFFLINE} ({event})")


def _described(task: Mapping[str, Any], entry: Any, patterns: list[Any], name: str) -> dict[str, Any]:
    from bakehouse.errors import BakehouseError
    from bakehouse.feedstock.folder import Feedstock
    from bakehouse.feedstock.loading import load_recipes
    from bakehouse.meta.models import FeedstockMeta

    repository = Path(task["repository"]) if task["repository"] else None
    folder = Path(task["folder"])
    feedstock = Feedstock(task["id"], folder, FeedstockMeta(recipes=(entry,)), repository or folder, repository)
    try:
        return {key: _steps(recipe, patterns) for key, recipe in load_recipes(feedstock).items()}
    except BakehouseError as error:
        return {entry.id or name: {"error": " ".join(error.message.split())}}


@contextmanager
def _recorded() -> Iterator[list[Any]]:
    """Remember the patterns whose items are listed."""
    from bakehouse.patterns import FilePattern

    listed, seen = FilePattern.items, []

    def items(self: Any) -> Any:
        seen.append(self)
        return listed(self)

    FilePattern.items = items  # type: ignore[method-assign]  # for as long as the recipe is put together
    try:
        yield seen
    finally:
        FilePattern.items = listed  # type: ignore[method-assign]


def _steps(recipe: Any, patterns: list[Any]) -> dict[str, Any]:
    """Describe a recipe's steps, and the pattern whose inputs it begins with."""
    parts = [_unnamed(part) for part in getattr(recipe, "_parts", (recipe,))]
    return {"pattern": _pattern(parts[0], patterns), "steps": [_step(part) for part in parts]}


def _unnamed(part: Any) -> Any:
    """Give the step that a label was put on, if it is one that is known."""
    inner = getattr(part, "transform", None) if type(part).__name__ == "_NamedPTransform" else None
    known = inner is not None and (type(inner).__name__ == "Create" or type(inner).__module__.startswith(TRANSFORMS))
    return inner if known else part


def _step(part: Any) -> dict[str, Any]:
    kind = type(part)
    known = kind.__module__.startswith(TRANSFORMS) and dataclasses.is_dataclass(kind)
    given = {}
    for each in dataclasses.fields(kind) if known else ():
        value = getattr(part, each.name)
        if each.name not in LEFT_OUT and not _is_default(value, each):
            given[each.name] = _plain(value)
    name = kind.__name__ if known or kind.__name__ == "Create" else str(part.label)
    return {"name": name, "known": known, "arguments": given}


def _is_default(value: Any, field: Any) -> bool:
    if value is None or value is ... or (value == {} and isinstance(value, dict)):
        return True
    return field.default is not dataclasses.MISSING and value is field.default


def _plain(value: Any) -> Any:
    """Give a value as JSON has it, or what it is."""
    value = getattr(value, "value", value) if type(value).__name__ == "FileType" else value
    try:
        return {"value": json.loads(json.dumps(value, default=_number, allow_nan=False))}
    except (TypeError, ValueError):
        return {"kind": type(value).__name__}


def _number(value: Any) -> Any:
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    raise TypeError


def _pattern(create: Any, patterns: list[Any]) -> dict[str, Any] | None:
    """Describe the pattern that a `beam.Create` lists; the indexes say where, whatever was made of its items."""
    from bakehouse.patterns import Index, key_of

    values = list(getattr(create, "values", ()))
    pairs = [each for each in values if isinstance(each, tuple) and len(each) == 2 and isinstance(each[0], Index)]
    if not pairs or len(pairs) != len(values) or not all(isinstance(url, str) for _, url in pairs):
        return None
    items = [[key_of(index), url] for index, url in pairs]
    expected = getattr(pairs[0][0], "expects", None)
    for pattern in reversed(patterns):
        expects = {dim.name: (len(dim.keys), getattr(dim, "nitems_per_file", None)) for dim in pattern.combine_dims}
        if expects == expected and [[key_of(index), pattern[index]] for index in pattern] == items:
            return {
                "items": items,
                "dims": [_dim(each) for each in pattern.combine_dims],
                "has_secrets": bool(pattern.query_string_secrets),
            }
    return None


def _dim(dim: Any) -> dict[str, Any]:
    return {
        "name": dim.name,
        "kind": dim.operation.name.lower(),
        "keys": [_key(key) for key in dim.keys],
        "nitems": getattr(dim, "nitems_per_file", None),
    }


def _key(key: Any) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    key = pd.Timestamp(key) if isinstance(key, np.datetime64) else key.item() if isinstance(key, np.generic) else key
    if isinstance(key, datetime):
        return {"date": key.isoformat()} if not getattr(key, "nanosecond", 0) else {"kind": "nanoseconds"}
    if isinstance(key, date):
        return {"date": key.isoformat()}
    return {"value": key} if isinstance(key, str | int | float) else {"kind": type(key).__name__}


if __name__ == "__main__":
    result = main(json.loads(sys.stdin.read()))
    Path(sys.argv[1]).write_text(json.dumps(result), encoding="utf-8")
