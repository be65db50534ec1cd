"""Which inputs a run takes: all of them, or those that the published version lacks or has in another state."""

from __future__ import annotations

from bakehouse.context import Context
from bakehouse.errors import PatternError
from bakehouse.patterns import Key
from bakehouse.plan.base import Base
from bakehouse.schema import Identity
from bakehouse.storage.identity import compare
from bakehouse.writers.versions import load_base


def published(context: Context) -> Base | None:
    """Give what the published version was made from, if the run knows of one."""
    return load_base(context.target, context.base, context.base_inputs) if context.base else None


def may_pass_over(context: Context) -> bool:
    """Say whether there may be inputs that the run does not look at."""
    return bool(context.grow) or context.mode == "verify"


def is_wanted(context: Context, key: Key, url: str) -> bool:
    """Say whether an input is to be looked at, before anything is asked of its place.

    A version is verified against the inputs that it was made from, whatever its pattern lists by now.

    Raises
    ------
    PatternError
        If the published version has another input at this position.
    """
    base = published(context) if may_pass_over(context) else None
    known = base.by_key.get(key) if base else None
    if context.mode == "verify" and base is not None:
        return known is not None and not known.gap
    if known is None:
        return True
    if known.url != url:
        raise PatternError(
            f"the pattern has another input at {dict(key)} than the published version",
            f"{context.label}: it has {url}, the version was made from {known.url}",
            "an update keeps the inputs that are there and appends to them",
            "build the whole store anew: bakehouse bake",
        )
    return known.gap or context.grow == "changed" or is_witness(context, key)


def is_changed(context: Context, key: Key, url: str, identity: Identity) -> bool:
    """Say whether an input is new, or no longer what the published version was made from."""
    base = published(context) if context.grow else None
    known = base.by_key.get(key) if base else None
    if known is None or known.gap or known.url != url:
        return True
    return compare(known.identity, identity)[0] is not False


def is_witness(context: Context, key: Key) -> bool:
    """Say whether an input is read again though it is kept, because the recipe was edited since.

    The last input of each kind is: what the recipe makes of it now must be what is stored.
    """
    base = published(context) if context.grow else None
    if base is None or base.digests["recipe"] == context.recipe_digest:
        return False
    return key in base.last_of_each_kind
