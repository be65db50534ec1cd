"""What a feedstock has to say of the stores that it links: a licence, and ids that fit."""

from __future__ import annotations

from bakehouse.errors import LinkError, UsageError, did_you_mean
from bakehouse.feedstock import Feedstock
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.meta.spdx import NO_SPDX, normalized, unknown_ids


def insist_license(meta: FeedstockMeta) -> None:
    """Insist on a licence that SPDX knows, or on one that is said to have no name there.

    Raises
    ------
    LinkError
        If there is none.
    """
    text = meta.provenance.license if meta.provenance else None
    if not text:
        fix = "write provenance: {license: …}, or give --license"
        raise LinkError("nothing says under which licence the data may be used", "meta.yaml", None, fix)
    if text not in NO_SPDX and normalized(text) is None:
        wrong, close = unknown_ids(text)
        fix = close or "choose one of spdx.org/licenses"
        raise LinkError(f"unknown licence {wrong!r}", "meta.yaml", "SPDX has no such identifier", fix)


def linked_stores(feedstock: Feedstock, only: str | None = None) -> list[LinkedStore]:
    """List the stores of a feedstock that are to be linked; their ids have to be those of its recipes.

    Raises
    ------
    UsageError
        If there are none, or none of the id that was asked for.
    """
    where, stores = f"{feedstock.folder}/meta.yaml", feedstock.meta.stores
    known = [store.id for store in stores]
    if not known:
        fix = "name one: bakehouse link ID --url URL, or stores: [{id: …, url: …}] in meta.yaml"
        raise UsageError(f"feedstock '{feedstock.id}' names no stores", where, None, fix)
    if only is not None and only not in known:
        raise UsageError(f"feedstock '{feedstock.id}' has no store '{only}'", where, None, did_you_mean(only, known))
    return [store for store in stores if only in (None, store.id)]


def insist_ids(feedstock: Feedstock, store: LinkedStore) -> None:
    """Insist that a store and a recipe have one id, where recipes have ids.

    Raises
    ------
    LinkError
        If the feedstock has no recipe of the store's id.
    """
    recipes = [entry.id for entry in feedstock.meta.recipes if entry.id]
    if recipes and not any(entry.dict_object for entry in feedstock.meta.recipes) and store.id not in recipes:
        where = f"{feedstock.folder}/meta.yaml"
        message = f"store '{store.id}' has no recipe of that id"
        raise LinkError(message, where, "the entry is found by the recipe's id", did_you_mean(store.id, recipes))
