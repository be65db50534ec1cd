"""Markdown of ours around text of strangers: what they wrote is shown as they wrote it, and does nothing.

No HTML, links, pictures, mentions, references to issues or commits, or names of emoji come out of their text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from bakehouse.github.plain import plain

LONGEST = 65_000
"""Characters of a comment; GitHub takes 65,536."""
GAP = "\u200b"
"""Parts what GitHub would take for a mention, a reference or an address; it takes no room."""
_SPECIAL = re.compile(r"[!\"#$&'()*+\-.:;<=>@\[\\\]^_`{|}~]")
_ACTIVE = re.compile(r"[@#:$](?=\S)|(?i:www|gh)(?=[.-])|[0-9a-f]{6}(?=[0-9a-f])", re.ASCII)
_LANGUAGE = re.compile(r"[a-z0-9+-]{0,20}")
_URL_LIMIT = 2000


def text(value: str, limit: int = 500) -> str:
    r"""Write text that is shown letter by letter, on one line.

    Examples
    --------
    >>> text("2 * 3").replace(GAP, "|"), text("@everyone #1").replace(GAP, "|")
    ('2 &#42; 3', '&#64;|everyone &#35;|1')
    """
    parted = _ACTIVE.sub(lambda found: found[0] + GAP, plain(value, limit).strip())
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", parted)


def span(value: str, limit: int = 500) -> str:
    r"""Write code that stands in a line.

    Examples
    --------
    >>> span("a`b"), span("")
    ('`` a`b ``', '` `')
    """
    shown = plain(value, limit).strip() or " "
    ticks = "`" * (_longest(shown, "`") + 1)
    room = " " if "`" in shown else ""
    return f"{ticks}{room}{shown}{room}{ticks}"


def code(value: str, language: str = "", limit: int = 4000) -> str:
    r"""Write a block of code; its fence is longer than any inside.

    Examples
    --------
    >>> print(code("a = 1\n```\n<b>", "python"))
    ````python
    a = 1
    ```
    <b>
    ````
    """
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"{language!r} names no language")
    shown = plain(value, limit, lines=True)
    fence = "`" * max(3, _longest(shown, "`") + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def link(label: str, url: str) -> str:
    """Write a link to an https address; to any other, the label alone.

    Examples
    --------
    >>> link("page", "https://example.org/a(b)"), link("page", "javascript:alert(1)")
    ('[page](https://example.org/a%28b%29)', 'page')
    """
    address = _address(url)
    return f"[{text(label)}]({address})" if address else text(label)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""Write a table of cells that are Markdown already.

    Examples
    --------
    >>> print(table(["name", "size"], [[span("a|b"), text("1 | 2")]]))
    | name | size |
    |---|---|
    | `a\|b` | 1 &#124; 2 |
    """
    lines = [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines)


def details(summary: str, body: str) -> str:
    """Fold a part away below its summary; both are Markdown already, the summary without code or links."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def joined(parts: Sequence[str], limit: int = LONGEST, rest: str = "*The rest is left out: it is too long.*") -> str:
    r"""Join the parts of a comment until it is full; no part is cut in two.

    Examples
    --------
    >>> joined(["one", "two", "three"], 12, "…")
    'one\n\n…'
    """
    whole = "\n\n".join(part for part in parts if part)
    if len(whole) <= limit:
        return whole
    kept, room = [], limit - len(rest) - 2
    for part in filter(None, parts):
        if len(part) + 2 <= room:
            kept.append(part)
            room -= len(part) + 2
        else:
            break
    return "\n\n".join([*kept, rest])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _longest(value: str, character: str) -> int:
    """Give the length of the longest run of a character."""
    return max((len(run) for run in re.findall(f"{re.escape(character)}+", value)), default=0)


def _address(url: str) -> str | None:
    if len(url) > _URL_LIMIT or plain(url, _URL_LIMIT) != url or any(character.isspace() for character in url):
        return None
    try:
        parts = urlsplit(url)
        named = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return None
    host_is_plain = named and re.fullmatch(r"[A-Za-z0-9.-]+(:\d+)?", parts.netloc)
    return quote(url, safe=":/?#@!$&*+,;=%~-._") if host_is_plain else None
