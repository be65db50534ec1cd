"""One URL with fields for many URLs: found from a few inputs, to be proven on all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DATES = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d%H", "%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y%j", "%Y%m",
         "%Y-%m", "%Y_%m", "%Y", "%j", "%b", "%B", "%m", "%d", "%H", "%M", "%S", "%y")  # fmt: skip
"""Ways to write a date, the longest first: a longer one that fits says more."""
NUMBERS = ("", "02d", "03d", "04d", "05d", "06d")
MOST_SAMPLES = 16

Place = tuple[Any, ...]
"""An input's keys, one per dimension."""


def find_template(dims: Sequence[str], inputs: Mapping[Place, str]) -> str | None:
    """Find a URL with a field for each dimension that gives every input's URL from its keys.

    Parameters
    ----------
    dims
        Names of the dimensions.
    inputs
        URL by keys.

    Returns
    -------
    The template; None if there is none. It holds for the inputs that were looked at, not yet for all.

    Examples
    --------
    >>> find_template(["time"], {(7,): "https://example.org/a.007.nc", (8,): "https://example.org/a.008.nc"})
    'https://example.org/a.{time:03d}.nc'
    """
    samples = _samples(inputs)
    urls = [inputs[place] for place in samples]
    fields = [_Field(name, spec, texts) for i, name in enumerate(dims)
              for spec, texts in _written([place[i] for place in samples])]  # fmt: skip
    varying = [each for each in fields if len(set(each.texts)) > 1 or each.spec.startswith("%Y")]
    for some in (varying, fields):
        parts = _Search(urls, some, frozenset(dims)).parts()
        if parts is not None:
            return _joined(parts)
    return None


def _samples(inputs: Mapping[Place, str]) -> list[Place]:
    """Choose inputs that differ from one another in every dimension."""
    places = list(inputs)
    step = max(1, len(places) // (MOST_SAMPLES // 2))
    chosen = dict.fromkeys([*places[::step][: MOST_SAMPLES // 2], places[-1]])
    longest = sorted(places, key=lambda place: (len(inputs[place]), place != places[0]))
    return list(dict.fromkeys([*chosen, *longest[:2], *longest[-2:]]))


@dataclass(frozen=True)
class _Field:
    """A dimension written in one way: its text in each sample."""

    name: str
    spec: str
    texts: tuple[str, ...]


def _written(keys: Sequence[Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List the ways to write keys; those that look the same only once."""
    seen: set[tuple[str, ...]] = set()
    kinds = DATES if all(isinstance(key, date) for key in keys) else NUMBERS if _whole(keys) else ("",)
    for spec in kinds:
        texts = tuple(f"{key:{spec}}" for key in keys)
        if texts not in seen and all(texts):
            seen.add(texts)
            yield spec, texts


def _whole(keys: Sequence[Any]) -> bool:
    return all(isinstance(key, int) and not isinstance(key, bool) for key in keys)


@dataclass
class _Search:
    """Walks along all sampled URLs at once: what stands there is a field in all of them, or one character in all."""

    urls: list[str]
    fields: list[_Field]
    dims: frozenset[str]
    failed: set[tuple[tuple[int, ...], frozenset[str]]] = field(default_factory=set)

    def parts(self) -> list[_Field | str] | None:
        """Give the parts of a template, with every dimension in it; None if there is none."""
        path: list[tuple[tuple[int, ...], frozenset[str], Iterator[tuple[_Field | str, tuple[int, ...]]]]] = []
        parts: list[_Field | str] = []
        at, seen = (0,) * len(self.urls), frozenset[str]()
        while not (self._ended(at) and seen == self.dims):
            path.append((at, seen, self._choices(at) if (at, seen) not in self.failed else iter(())))
            while (chosen := next(path[-1][2], None)) is None:
                at, seen, _ = path.pop()
                self.failed.add((at, seen))
                if not path:
                    return None
                parts.pop()
            part, at = chosen
            seen = path[-1][1] | ({part.name} if isinstance(part, _Field) else set())
            parts.append(part)
        return parts

    def _ended(self, at: tuple[int, ...]) -> bool:
        return all(i == len(url) for i, url in zip(at, self.urls, strict=True))

    def _choices(self, at: tuple[int, ...]) -> Iterator[tuple[_Field | str, tuple[int, ...]]]:
        for each in self.fields:
            if all(url.startswith(text, i) for url, i, text in zip(self.urls, at, each.texts, strict=True)):
                yield each, tuple(i + len(text) for i, text in zip(at, each.texts, strict=True))
        here = {url[i : i + 1] for url, i in zip(self.urls, at, strict=True)}
        if len(here) == 1 and (char := here.pop()):
            yield char, tuple(i + 1 for i in at)


def _joined(parts: Sequence[_Field | str]) -> str:
    """Write a template."""
    return "".join(
        (f"{{{part.name}:{part.spec}}}" if part.spec else f"{{{part.name}}}")
        if isinstance(part, _Field)
        else part.replace("{", "{{").replace("}", "}}")
        for part in parts
    )
