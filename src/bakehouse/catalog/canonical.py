"""One way to write a value as JSON: the same content gives the same bytes, on every machine and version."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

# Characters that reorder or break the line they stand in: a reviewer would see other text than a program reads.
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Model(BaseModel):
    """A frozen value that refuses unknown fields and leaves out what is unknown when written.

    A field that is None or an empty collection is not written. So a field added later, with such a default,
    leaves the bytes of older entries as they are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _without_unknowns(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None and value not in ([], {}, ())}


def dumps(value: Any) -> str:
    """Write a JSON document: sorted keys, two spaces, real characters, a newline at its end.

    Raises
    ------
    ValueError
        If the value holds NaN or an infinity, which JSON cannot say.

    Examples
    --------
    >>> print(dumps({"b": "°C", "a": [1]}), end="")
    {
      "a": [
        1
      ],
      "b": "°C"
    }
    """
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def clean_json(value: Any) -> Any:
    r"""Turn an attribute of any origin (numpy, bytes, NaN, broken text) into what JSON can say.

    NaN and infinities become the strings that zarr v3 uses for them.

    Examples
    --------
    >>> clean_json({"valid": (1, float("nan")), "by": b"caf\xe9"})
    {'valid': [1, 'NaN'], 'by': 'caf�'}
    """
    if isinstance(value, Mapping):
        return {str(clean_json(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        errors = "surrogateescape" if _escaped(value) else "replace"
        return str(value).encode("utf-8", errors).decode("utf-8", "replace")
    return _clean_scalar(value)


def _clean_scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _nonfinite(value)
    return clean_json(value.tolist()) if hasattr(value, "tolist") else clean_json(str(value))


def _nonfinite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _escaped(text: str) -> bool:
    """Say whether every lone surrogate stands for one undecoded byte."""
    return all(0xDC80 <= ord(char) <= 0xDCFF for char in text if 0xD800 <= ord(char) <= 0xDFFF)


def _as_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def iso_utc(moment: datetime) -> str:
    """Write a moment in UTC, as RFC 3339 with a Z.

    Examples
    --------
    >>> iso_utc(datetime.fromisoformat("2024-03-01T12:00:00+02:00"))
    '2024-03-01T10:00:00Z'
    """
    return _as_utc(moment).isoformat().replace("+00:00", "Z")


Utc = Annotated[AwareDatetime, AfterValidator(_as_utc), PlainSerializer(iso_utc, return_type=str)]
"""A moment with a time zone, kept and written in UTC."""

Text = Annotated[str, BeforeValidator(clean_json)]
"""Text as its author wrote it, of whatever script; what is not Unicode is replaced."""

JsonValue = Annotated[Any, BeforeValidator(clean_json)]
"""Anything that JSON can say."""
