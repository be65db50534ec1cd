"""Python's garbage collector while a bake starts: a third of a million new objects to look through, and no garbage."""

from __future__ import annotations

import gc

STARTING = ("bake", "plan", "test", "update")
"""Commands that do nothing long before the engine and the recipe are loaded."""


def put_off(command: str) -> None:
    """Collect nothing until `begin` is called, if the command is one that starts so."""
    if command in STARTING:
        gc.disable()


def begin() -> None:
    """Collect from now on; what has been made by the first call stays, and is not looked through again."""
    if gc.isenabled():
        return
    if not gc.get_freeze_count():
        gc.freeze()
    gc.enable()
