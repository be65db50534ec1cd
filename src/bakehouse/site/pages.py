"""Pages from templates: everything that authors wrote is escaped, and stands isolated from the text around it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2
from markupsafe import Markup

import bakehouse
from bakehouse.catalog.jsonld import script_json
from bakehouse.catalog.words import human_bytes, plural
from bakehouse.site import words
from bakehouse.site.bundle import Bundle
from bakehouse.site.content import Content
from bakehouse.site.policy import policy

CARDS = 24


@dataclass(frozen=True)
class Pages:
    """Writes the pages of one site."""

    content: Content
    bundle: Bundle

    @cached_property
    def _templates(self) -> jinja2.Environment:
        loader = jinja2.PackageLoader("bakehouse.site")
        made = jinja2.Environment(
            loader=loader,
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
        )
        made.filters |= {"clip": words.clip, "day": words.day, "bytes": human_bytes, "number": words.number}
        made.filters |= {"moment": words.moment, "degrees": words.degrees}
        made.globals |= {"plural": plural, "json_script": _json_script, "generator": bakehouse.__version__}
        return made

    def render(self, template: str, path: str, **values: Any) -> str:
        """Write the page that lies at `path`; `root` leads from there to the site's top."""
        has = set(self.bundle.files)
        common = {
            "site": self.content,
            "root": "../" * path.count("/"),
            "path": path,
            "bundle": has,
            "csp": policy(scripts=bool(has)),
        }
        return self._templates.get_template(template).render({**common, **values})


def page_path(number: int) -> str:
    """Say where the numbered page of cards lies.

    Examples
    --------
    >>> page_path(1), page_path(3)
    ('index.html', 'page/3/index.html')
    """
    return "index.html" if number == 1 else f"page/{number}/index.html"


def page_count(entries: int) -> int:
    """Count the pages of cards; there is always one."""
    return max(1, math.ceil(entries / CARDS))


def _finalize(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return words.printable(value)
    return value


def _json_script(document: Any) -> Markup:
    """Give JSON for a script element; it is escaped for that place, and would be spoiled by HTML's own escapes."""
    return Markup(script_json(document))
