"""Where a licence's text can be read."""

from __future__ import annotations

import re

from bakehouse.catalog.entry import Entry

NO_NAMES = ("other", "proprietary", "various")


def license_url(entry: Entry) -> str | None:
    """Give the author's link, else the SPDX page of a single licence."""
    return entry.license_link.url if entry.license_link else spdx_url(entry.license)


def spdx_url(name: str | None) -> str | None:
    """Give the page of a licence that SPDX knows by one name; expressions and free text have none.

    Examples
    --------
    >>> spdx_url("CC-BY-4.0"), spdx_url("other"), spdx_url("MIT AND CC0-1.0")
    ('https://spdx.org/licenses/CC-BY-4.0.html', None, None)
    """
    single = re.fullmatch(r"[A-Za-z0-9.+-]+", name or "", re.ASCII) and str(name).lower() not in NO_NAMES
    return f"https://spdx.org/licenses/{name}.html" if single else None
