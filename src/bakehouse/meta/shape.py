"""A document against its model: every mismatch as a problem at its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bakehouse.errors import did_you_mean
from bakehouse.meta.document import Document, Loc
from bakehouse.meta.findings import Problem
from bakehouse.meta.surprises import surprise

M = TypeVar("M", bound=BaseModel)


_WORDS = {
    "tuple": "a list",
    "dictionary": "a mapping",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}
_KINDS = {"bool": "a boolean", "int": "a number", "float": "a number", "date": "a date", "datetime": "a date"}


def validate(
    model: type[M], document: Document, loc: Loc = (), lenient: bool = False
) -> tuple[M | None, list[Problem]]:
    """Validate what stands at a place of a document; give the model or the problems. If lenient, unknown keys pass."""
    data = document.get(*loc)
    if not isinstance(data, dict):
        what = "empty" if data is None else "not a mapping"
        return None, [Problem("BH010", document.mark(loc), f"{_name(loc)} is {what}: keys and values are expected")]
    try:
        return model.model_validate(data, extra="ignore" if lenient else None), []
    except ValidationError as error:
        found = [_problem(model, document, loc, detail) for detail in error.errors(include_url=False)]
        return None, list({_identity(p): p for p in reversed(found)}.values())[::-1]


def _identity(problem: Problem) -> tuple[Any, ...]:
    """Tell problems apart; a union complains once per member about one wrong value."""
    return (problem.code, problem.mark, None if problem.code == "BH103" else problem.message)


def _problem(model: type[BaseModel], document: Document, start: Loc, detail: Mapping[str, Any]) -> Problem:
    kind, steps, context = detail["type"], detail["loc"], detail.get("ctx", {})
    loc = (*start, *steps)
    mark = document.mark(loc)
    if kind == "extra_forbidden":
        fix = did_you_mean(str(steps[-1]), _known_keys(model, steps[:-1]))
        return Problem("BH101", document.key_mark(loc), f"unknown key '{steps[-1]}'{_within(loc)}", fix)
    if kind == "missing":
        return Problem("BH102", mark, f"'{steps[-1]}' is missing{_within(loc)}", f"add {steps[-1]}: …")
    if kind.startswith("BH"):
        return Problem(kind, document.mark((*loc, *context["at"])), context["message"], context["fix"])
    if found := surprise(document.value(loc)):
        return found
    if kind in ("value_error", "assertion_error"):
        return Problem("BH422", mark, f"{_name(loc)}: {context.get('error', detail['msg'])}")
    return Problem("BH103", mark, *_wrong_type(document, loc, detail))


def _wrong_type(document: Document, loc: Loc, detail: Mapping[str, Any]) -> tuple[str, str | None]:
    value = document.value(loc)
    if detail["type"] == "string_type" and value.raw is not None and value.data is not None:
        kind = _KINDS.get(type(value.data).__name__, "something else")
        return f"{_name(loc)} must be text, but {value.raw} is read as {kind}", f"quote it: '{value.raw}'"
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    word = re.split(r", unable| or (?:an )?instance", expected)[0]
    what = _WORDS.get(word, word)
    given = f", not {value.raw!r}" if value.raw else ""
    return f"{_name(loc)} should be {what}{given}", None


def _name(loc: Loc) -> str:
    """Write a place as people do: ``recipes[0].id``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.lstrip(".") or "the file"


def _within(loc: Loc) -> str:
    return f" in {_name(loc[:-1])}" if len(loc) > 1 else ""


def _known_keys(model: type[BaseModel], steps: Loc) -> set[str]:
    """List the keys that are known at a place of a model."""
    types: list[Any] = [model]
    for step in steps:
        types = [inner for kind in types for inner in _inside(kind, step)]
    return {name for kind in types if _is_model(kind) for field in kind.model_fields.items() for name in _names(*field)}


def _inside(kind: Any, step: Any) -> Iterator[Any]:
    """Give the types of what lies one step inside a type; a step that a union puts in between leads nowhere new."""
    if _is_model(kind):
        fields = [field for name, field in kind.model_fields.items() if step in _names(name, field)]
        yield from (part for field in fields for part in _alternatives(field.annotation))
    elif get_origin(kind) in (dict, tuple, list):
        yield from _alternatives(get_args(kind)[1 if get_origin(kind) is dict else 0])


def _alternatives(kind: Any) -> Iterator[Any]:
    """Take annotations and unions apart."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _alternatives(args[0])
    elif origin in (dict, tuple, list) or not args:
        yield kind
    else:
        yield from (part for arg in args for part in _alternatives(arg))


def _names(name: str, field: FieldInfo) -> tuple[str, ...]:
    alias = field.validation_alias or name
    return tuple(str(c) for c in alias.choices) if isinstance(alias, AliasChoices) else (str(alias),)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
