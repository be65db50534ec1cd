"""The event that started a workflow, as GitHub writes it into a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bakehouse.errors import UsageError


def read_event(path: Path | None) -> dict[str, Any]:
    """Read an event.

    Raises
    ------
    UsageError
        If there is none.
    """
    if path is None:
        raise UsageError("no event is named", None, None, "run this in a job of GitHub Actions, or give --event PATH")
    try:
        event = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError("the event can't be read", str(path), type(error).__name__, None) from None
    if not isinstance(event, dict):
        raise UsageError("the event is no JSON object", str(path))
    return event
