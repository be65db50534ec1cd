"""xarray's own picture of a dataset in HTML, taken apart and put together again from what is known to be harmless.

A strict Content-Security-Policy allows no inline styles, so xarray's style sheet becomes a file and its style
attributes go; ids that are drawn at random are counted instead, so that the same store gives the same page.
"""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

_ATTRIBUTES = {
    **{tag: {"class"} for tag in ("dd", "div", "dl", "dt", "em", "li", "pre", "span", "ul", "path")},
    "input": {"class", "id", "type", "checked", "disabled"},
    "label": {"class", "for", "title"},
    "svg": {"class"},
    "symbol": {"id", "viewbox"},
    "defs": set(),
    "path": {"d"},
    "use": {"xlink:href"},
    **{tag: {"class"} for tag in ("table", "tbody", "thead", "tr", "td", "th", "br")},
}
_SPELLED = {"viewbox": "viewBox"}
_VOID = ("input", "br")
_DROPPED = ("style", "script")


def clean(html: str) -> str:
    """Keep the elements and attributes that xarray's representation is made of, and nothing else.

    Examples
    --------
    >>> clean("<div class='xr-wrap' style='display:none' onclick='x'>a<script>b</script></div>")
    '<div class="xr-wrap">a</div>'
    """
    parser = _Cleaner()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


def style_sheet() -> str:
    """Give xarray's style sheet, without what belongs to notebooks."""
    found = find_spec("xarray")
    assert found and found.origin
    css = (Path(found.origin).parent / "static/css/style.css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._ids: dict[str, str] = {}
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fallback = tag == "pre" and ("class", "xr-text-repr-fallback") in attrs
        if self._inside or tag in _DROPPED or fallback:
            if tag not in _VOID:
                self._inside.append(tag)
            return
        if tag in _ATTRIBUTES:
            self.parts.append(f"<{tag}{''.join(self._attribute(tag, *pair) for pair in attrs)}>")

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            if tag == self._inside[-1]:
                self._inside.pop()
        elif tag in _ATTRIBUTES and tag not in _VOID:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(escape(data, quote=False))

    def _attribute(self, tag: str, name: str, value: str | None) -> str:
        if name not in _ATTRIBUTES[tag]:
            return ""
        if name in ("id", "for") and tag != "symbol":
            value = self._ids.setdefault(value or "", f"xr-{len(self._ids)}")
        if name == "xlink:href" and not (value or "").startswith("#icon-"):
            return ""
        return f' {_SPELLED.get(name, name)}="{escape(value or "")}"'
