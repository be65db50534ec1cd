"""Names and labels of jobs, as Google Cloud accepts them, for any id."""

from __future__ import annotations

import hashlib
import re

LONGEST = 63
"""How long a name is at most, so that it fits wherever Google Cloud takes one."""


def job_name(label: str, work: str) -> str:
    """Name a job by what it is about and a digest of all that it does: one name for one piece of work.

    Dataflow runs one job of a name at a time, so the same work can't run twice at once.

    Examples
    --------
    >>> job_name("CanopyHeights-GLAD", "a"), job_name("0_25_deg", "a"), job_name("GPM_3IMERGDF.07/daily", "a")
    ('canopyheights-glad-ca978112', 'bake-0-25-deg-ca978112', 'gpm-3imergdf-07-daily-ca978112')
    """
    digest = hashlib.sha256(work.encode()).hexdigest()[:8]
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"bake-{plain}".rstrip("-")
    return f"{plain[: LONGEST - 9].rstrip('-')}-{digest}"


def label_value(text: str) -> str:
    """Give a text as the value of a label.

    Examples
    --------
    >>> label_value("GPM_3IMERGDF.07")
    'gpm_3imergdf-07'
    """
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:LONGEST]
