"""What people call a licence, as SPDX spells it."""

from __future__ import annotations

import re

from bakehouse.meta.spdx import NO_SPDX, normalized

_VERSION = r"[-\s(]*(?:version|v\.?)?[-\s]*(\d)(?:\.(\d))?"
_CREATIVE = re.compile(
    rf"(?:creative\s*commons|\bcc)[-\s]*(?:by|attribution)((?:[-\s]*(?:nc|nd|sa|noncommercial|sharealike|noderiv\w*))*)"
    rf"{_VERSION}",
    re.IGNORECASE,
)
_CREATIVE_URL = re.compile(r"creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)", re.IGNORECASE)
_PARTS = {"nc": "NC", "noncommercial": "NC", "sa": "SA", "sharealike": "SA", "nd": "ND"}
_OTHERS = (
    (
        re.compile(r"\bcc[-\s]*0\b|creativecommons\.org/publicdomain/zero|creative commons zero", re.IGNORECASE),
        "CC0-1.0",
    ),
    (re.compile(rf"\bapache{_VERSION}", re.IGNORECASE), "Apache-2.0"),
    (re.compile(r"\bmit(\s+licen[cs]e)?", re.IGNORECASE), "MIT"),
    (re.compile(r"open government licen[cs]e.*v?3|\bogl[-\s]*(uk)?[-\s]*v?3", re.IGNORECASE), "OGL-UK-3.0"),
    (re.compile(r"open database licen[cs]e|\bodbl\b", re.IGNORECASE), "ODbL-1.0"),
)
UNSAID = re.compile(r"\W*(|unknown|none|n/?a|tbd|todo|\?+|not specified|fill in.*)\W*", re.IGNORECASE)
"""What says nothing."""


def spdx_of(text: str) -> str | None:
    """Spell a licence as SPDX does, where no other can be meant.

    Examples
    --------
    >>> spdx_of("Creative Commons Attribution 4.0 (CC BY 4.0)"), spdx_of("CC BY-NC-SA 4.0"), spdx_of("cc-by-4.0")
    ('CC-BY-4.0', 'CC-BY-NC-SA-4.0', 'CC-BY-4.0')
    >>> spdx_of("Apache Version 2.0"), spdx_of("No constraints on data access or use"), spdx_of("MITRE terms")
    ('Apache-2.0', None, None)
    """
    text = text.strip()
    known = text.lower() if text.lower() in NO_SPDX else normalized(text)
    if known:
        return known
    if found := _CREATIVE_URL.search(text):
        return normalized(f"CC-{found[1]}-{found[2]}")
    if found := _CREATIVE.search(text):
        words = re.findall(r"[a-z]+", (found[1] or "").lower())
        parts = [_PARTS.get(word, "ND") for word in words]
        return normalized("-".join(["CC-BY", *parts, f"{found[2]}.{found[3] or 0}"]))
    return next((spdx for pattern, spdx in _OTHERS if pattern.fullmatch(text)), None)
