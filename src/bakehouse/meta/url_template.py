"""How a pattern makes URLs from keys: callables that travel to workers."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Any

from bakehouse.meta.base import refusal

_UNSAFE_SPEC = re.compile(r"\{|\d{4}")
"""A nested field, or a width that fills the memory."""


@dataclass(frozen=True)
class UrlTemplate:
    """The format function of a pattern whose files have one URL with fields.

    Examples
    --------
    >>> from datetime import date
    >>> UrlTemplate("https://example.org/{variable}_{time:%Y%m}.nc")(variable="sst", time=date(2006, 4, 1))
    'https://example.org/sst_200604.nc'
    """

    url: str

    def __call__(self, **keys: Any) -> str:
        """Fill in one key per dimension."""
        return self.url.format(**keys)


@dataclass(frozen=True)
class FileList:
    """The format function of a pattern whose files are listed; the key along `dim` is the place in the list."""

    files: tuple[str, ...]
    dim: str | None = None

    def __call__(self, **keys: Any) -> str:
        """Look up the file at a place in the list."""
        return self.files[keys[self.dim] if self.dim else 0]


def fields_of(url: str) -> dict[str, list[str]]:
    """Map each field's name to the ways it is written; only plain names pass."""
    found: dict[str, list[str]] = {}
    try:
        parts = list(string.Formatter().parse(url))
    except ValueError as error:
        raise refusal(
            "BH422", f"the url can't be read: {error}", "write {{ and }} for plain braces", ("url",)
        ) from error
    for _, name, spec, conversion in parts:
        if name is not None and (not name.isidentifier() or conversion or _UNSAFE_SPEC.search(spec or "")):
            raise refusal("BH422", f"{{{name}}} in the url is not the plain name of a dimension", None, ("url",))
        if name is not None:
            found.setdefault(name, []).append(spec or "")
    return found
