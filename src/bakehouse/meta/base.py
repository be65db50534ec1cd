"""What every model of a meta.yaml shares: strict keys, safe names, errors that carry a rule's code."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

T = TypeVar("T")

_EXPORT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def refusal(code: str, message: str, fix: str | None = None, at: tuple[Any, ...] = ()) -> PydanticCustomError:
    """Make a validation error with a rule's code; `at` leads from the validated value to the culprit."""
    return PydanticCustomError(code, "{message}", {"message": message, "fix": fix, "at": at})


def is_safe_name(name: str) -> bool:
    """Say whether a name is safe as one step of a path, on every file system and in every bucket."""
    if not name or name.startswith(".") or name != name.strip() or len(name) > 200:
        return False
    return not any(c in '/\\:*?"<>|' or not c.isprintable() for c in name)


def _safe_name(name: str) -> str:
    if not is_safe_name(name):
        raise refusal("BH106", f"{name!r} can't name a file or a folder")
    return name


def _export(text: str) -> str:
    if not _EXPORT.fullmatch(text):
        raise refusal("BH105", f"{text!r} is not of the form module:export")
    return text


def _none_is_empty(value: Any) -> Any:
    return () if value is None else value


Name = Annotated[str, AfterValidator(_safe_name)]
"""A name that is safe as one step of a path."""

Export = Annotated[str, AfterValidator(_export)]
"""An object in a feedstock's Python file: ``module:export``."""

Listed = Annotated[tuple[T, ...], BeforeValidator(_none_is_empty)]
"""A list; an empty key counts as an empty list."""
