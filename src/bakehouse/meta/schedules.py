"""When a feedstock is looked at again: words, or five cron fields, in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

WORDS = {
    "hourly": "0 * * * *",
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "yearly": "0 0 1 1 *",
}
"""What each word means: at midnight, weeks begin on Mondays."""
_FIELDS = re.compile(r"([\d*/,-]+ ){3}[\d*/,a-zA-Z-]+ [\d*/,a-zA-Z-]+")
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


def is_schedule(text: str) -> bool:
    """Say whether text is one of the words, or five cron fields that some moment fits.

    Examples
    --------
    >>> [is_schedule(each) for each in ("weekly", "0 6 * * mon", "61 6 * * *", "0 0 30 2 *", "often")]
    [True, True, False, False, False]
    """
    return text in WORDS or bool(_FIELDS.fullmatch(text) and next_after(text, _SOME_DAY))


def next_after(schedule: str, moment: datetime) -> datetime | None:
    """Give the first scheduled moment after another.

    Examples
    --------
    >>> print(next_after("weekly", datetime(2026, 11, 26, 12, tzinfo=UTC)))
    2026-11-30 00:00:00+00:00
    """
    return _tick(schedule, moment, reverse=False)


def last_before(schedule: str, moment: datetime) -> datetime | None:
    """Give the last scheduled moment before another, or that very moment.

    Examples
    --------
    >>> print(last_before("30 6 * * *", datetime(2026, 11, 26, 6, 30, tzinfo=UTC)))
    2026-11-26 06:30:00+00:00
    """
    return _tick(schedule, moment.replace(microsecond=1), reverse=True)


def _tick(schedule: str, moment: datetime, reverse: bool) -> datetime | None:
    from cronsim import CronSim, CronSimError

    try:
        return next(CronSim(WORDS.get(schedule, schedule), moment, reverse=reverse))
    except (CronSimError, StopIteration):
        return None
