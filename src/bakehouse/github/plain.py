"""Text of strangers as it may be shown: what can't be seen, or turns lines around, is replaced by what can."""

from __future__ import annotations

import re
import unicodedata

SHOWN = "\N{REPLACEMENT CHARACTER}"
CUT = "…"
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_STACKED = 4
_ODD, _ODD_IN_LINES = re.compile(r"[^ -~]"), re.compile(r"[^ -~\n\t]")


def plain(text: str, limit: int, lines: bool = False) -> str:
    r"""Give text without control, direction and other invisible characters, at most `limit` characters long.

    Parameters
    ----------
    limit
        The length of the result, an ellipsis at its end included.
    lines
        Keep line feeds and tabs; otherwise they become spaces.

    Examples
    --------
    >>> plain("a\x1b[31m\tb\u202ec", 20)
    'a�[31m b�c'
    >>> plain("a long story", 7), plain("one\r\ntwo", 20, lines=True)
    ('a long…', 'one\ntwo')
    """
    text = text[: limit + 1].replace("\r\n", "\n").replace("\r", "\n")
    odd = _ODD_IN_LINES if lines else _ODD
    shown = odd.sub(lambda found: _shown(found[0]), _unstacked(text))
    return shown if len(shown) <= limit else shown[: max(limit - 1, 0)] + CUT


def _shown(character: str) -> str:
    if character in "\n\t":
        return " "
    return SHOWN if unicodedata.category(character) in _HIDDEN else character


def _unstacked(text: str) -> str:
    """Drop marks that are heaped on one letter until they cover the lines around it."""
    if text.isascii():
        return text
    kept, stacked = [], 0
    for character in text:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        if stacked <= _STACKED:
            kept.append(character)
    return "".join(kept)
