"""Templates in kerchunk documents: addresses with names in them, and chunks that one rule refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

_ENVIRONMENT = SandboxedEnvironment(undefined=StrictUndefined)
"""Names that are not known are errors: fsspec puts nothing in their place, and chunks would read as never written."""
_compiled = lru_cache(1000)(_ENVIRONMENT.from_string)


def expand(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the references of a document of version 1, with all that templates and rules say written out.

    Raises
    ------
    jinja2.TemplateError, ValueError, TypeError, KeyError, AttributeError
        If a template or a rule is none.

    Examples
    --------
    >>> span = {"offset": "{{i * 8}}", "length": "8"}
    >>> rule = {"key": "v/{{i}}", "url": "{{u}}", **span, "dimensions": {"i": {"stop": 2}}}
    >>> expand({"templates": {"u": "https://example.org/a"}, "refs": {}, "gen": [rule]})
    {'v/0': ['https://example.org/a', 0, 8], 'v/1': ['https://example.org/a', 8, 8]}
    """
    templates = {name: _template(text) for name, text in (document.get("templates") or {}).items()}
    refs = {key: _reference(found, templates) for key, found in (document.get("refs") or {}).items()}
    for rule in document.get("gen") or ():
        refs.update(_generated(rule, templates))
    return refs


def _template(text: str) -> str | Callable[..., str]:
    """Give what a name stands for: text, or what its parameters are put into."""
    return _compiled(text).render if "{{" in text else text


def _reference(found: Any, templates: Mapping[str, Any]) -> Any:
    if isinstance(found, list) and templates and "{{" in found[0]:
        return [_compiled(found[0]).render(**templates), *found[1:]]
    return found


def _generated(rule: Mapping[str, Any], templates: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """List the references that a rule makes, one for each combination of its dimensions' values."""
    if ("offset" in rule) != ("length" in rule):
        raise ValueError("a rule of 'gen' needs both an offset and a length, or none of them")
    values = [_values(each) for each in rule["dimensions"].values()]
    key, url, *span = (_compiled(str(rule[name])) for name in ("key", "url", "offset", "length") if name in rule)
    for chosen in product(*values):
        said = dict(zip(rule["dimensions"], chosen, strict=True))
        place = url.render(**said, **templates)
        yield key.render(**said, **templates), [place, *(int(each.render(**said, **templates)) for each in span)]


def _values(dimension: Any) -> Any:
    if isinstance(dimension, list):
        return dimension
    return range(dimension.get("start", 0), dimension["stop"], dimension.get("step", 1))
