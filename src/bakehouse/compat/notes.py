"""Notes of a run that end up in the catalog's entry."""

from __future__ import annotations

import hashlib
from typing import Any

from bakehouse.context import Context


def note(context: Context | None, text: str) -> None:
    """Leave a note for the entry; outside of a bake there is none to leave it in."""
    if context is not None:
        context.staging.child("notes").put(hashlib.sha256(text.encode()).hexdigest()[:16], text.encode())


def noted(store: Any, context: Context | None, text: str) -> Any:
    """Leave a note, and pass a store on."""
    note(context, text)
    return store
