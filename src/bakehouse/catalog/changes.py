"""What changed between two versions of a store, in words: dimensions, variables, sizes, inputs, recipe, licence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.facts import Dimension, Facts, Variable
from bakehouse.catalog.record import Provenance
from bakehouse.catalog.words import human_bytes, plural

MOST = 40
"""Sentences that are kept of one change; stores of hundreds of variables may change in each."""
LONGEST = 300
SAID = {
    "title": "title", "description": "description", "license": "licence", "license_link": "licence's address",
    "providers": "providers", "citation": "citation", "doi": "DOI",
}  # fmt: skip
SHORT = frozenset(("title", "license", "doi"))


def changes(older: Entry, newer: Entry) -> tuple[str, ...]:
    """Say what a reader of the older version finds changed in the newer one, what matters most first.

    Examples
    --------
    >>> from bakehouse.catalog.entry import Check, Store
    >>> old = Entry(feedstock="a", recipe="a", kind="linked", title="Sea", license="CC0-1.0", version="1",
    ...     store=Store(url="s3://b/a.zarr", zarr_format=2, consolidated=True), check=Check(level="declared"))
    >>> changes(old, old.model_copy(update={"license": "CC-BY-4.0", "version": "2"}))
    ('licence: CC0-1.0 → CC-BY-4.0',)
    """
    found = [*_of_facts(older.facts, newer.facts), *_of_the_store(older, newer), *_of_origin(older, newer)]
    found += [*_of_trust(older, newer), *_of_authors(older, newer)]
    more = [f"and {plural(len(found) - MOST, 'more change')}"] if len(found) > MOST else []
    return tuple(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in [*found[:MOST], *more])


def _of_facts(older: Facts | None, newer: Facts | None) -> Iterator[str]:
    if older is None or newer is None:
        return
    yield from _of_dims(older.dims, newer.dims)
    before, after = ({each.name: each for each in facts.variables} for facts in (older, newer))
    yield from _come_and_gone("variable", before, after)
    common = [(before[name], after[name]) for name in before if name in after]
    yield from (f"{new.name}: {said}" for old, new in common if (said := ", ".join(_of_variable(old, new))))
    if older.bbox != newer.bbox and newer.bbox:
        yield f"bounding box: {_box(older.bbox)} → {_box(newer.bbox)}"
    yield from _of_sizes(older, newer)


def _box(bbox: tuple[float, ...] | None) -> str:
    return ", ".join(f"{edge:g}" for edge in bbox) if bbox else "not known"


def _of_dims(older: dict[str, Dimension], newer: dict[str, Dimension]) -> Iterator[str]:
    yield from _come_and_gone("dimension", older, newer)
    for name in newer:
        if name in older and (said := _of_dim(older[name], newer[name])):
            yield f"{name}: {said}"


def _of_dim(old: Dimension, new: Dimension) -> str:
    grown = new.size - old.size
    step = "time step" if new.axis == "t" else "element"
    said = [f"{plural(abs(grown), step)} {'added' if grown > 0 else 'removed'}, {new.size:,} now"] if grown else []
    for word, before, after in (("begins", old.start, new.start), ("ends", old.end, new.end)):
        if before != after and after is not None:
            said.append(f"{word} at {_place(after)} instead of {_place(before)}")
    return ", ".join(said)


def _place(value: Any) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.removesuffix("T00:00:00Z")


def _come_and_gone(noun: str, before: Iterable[str], after: Iterable[str]) -> Iterator[str]:
    added, gone = (
        [name for name in there if name not in set(rest)] for there, rest in ((after, before), (before, after))
    )
    for names, word in ((added, "new"), (gone, "removed")):
        if names:
            yield f"{word} {noun if len(names) == 1 else f'{noun}s'}: {', '.join(names)}"


def _of_variable(old: Variable, new: Variable) -> Iterator[str]:
    for noun in ("units", "dtype", "stored_dtype", "standard_name"):
        before, after = getattr(old, noun), getattr(new, noun)
        if before != after and not (noun == "stored_dtype" and old.dtype != new.dtype):
            yield f"{noun.replace('_', ' ')} {before or 'none'} → {after or 'none'}"
    for noun in ("dims", "chunks", "shards", "compressors"):
        before, after = getattr(old, noun), getattr(new, noun)
        if before != after and not _only_grew(noun, old, new):
            yield f"{noun} {_joined(before)} → {_joined(after)}"


def _only_grew(noun: str, old: Variable, new: Variable) -> bool:
    """Say whether chunks differ only because each is the whole of an array that grew."""
    return noun == "chunks" and old.chunks == old.shape and new.chunks == new.shape


def _joined(parts: tuple[Any, ...]) -> str:
    return " × ".join(map(str, parts)) or "none"


def _of_sizes(old: Facts, new: Facts) -> Iterator[str]:
    before, after = (each.bytes_stored or each.bytes_decoded for each in (old, new))
    if bool(old.bytes_stored) == bool(new.bytes_stored) and human_bytes(before) != human_bytes(after):
        ratio = (
            f" ({(after - before) / before:+.0%})" if before and not math.isclose(after, before, rel_tol=0.005) else ""
        )
        yield f"size: {human_bytes(before)} → {human_bytes(after)}{ratio}"


def _of_the_store(older: Entry, newer: Entry) -> Iterator[str]:
    old, new = older.store, newer.store
    names = [each.format if each.format != "zarr" else f"zarr v{each.zarr_format}" for each in (old, new)]
    if names[0] != names[1]:
        yield f"format: {names[0]} → {names[1]}"
    if old.url.rpartition("/")[0] != new.url.rpartition("/")[0]:
        yield f"moved: {old.url} → {new.url}"
    elif old.url == new.url and newer.kind == "baked" and new.format == "zarr":
        yield "added in place: the objects that were there are as they were"


def _of_origin(older: Entry, newer: Entry) -> Iterator[str]:
    old, new = older.provenance, newer.provenance
    if old.inputs_count != new.inputs_count and new.inputs_count is not None:
        before = f"{old.inputs_count:,}" if old.inputs_count is not None else "an unknown number"
        yield f"inputs: {before} → {plural(new.inputs_count, 'file')}{_grown(old, new)}"
    elif old.inputs_digest != new.inputs_digest and new.inputs_digest:
        yield f"inputs: other files or other content{_grown(old, new)}"
    yield from _of_recipe(older, newer)
    for name in sorted({*old.options, *new.options}):
        values = old.options.get(name), new.options.get(name)
        if values[0] != values[1]:
            yield f"option {name}: {values[0]} → {values[1]}"
    runs = [each.run.versions if each.run else {} for each in (old, new)]
    other = [
        f"{name} {runs[0][name]} → {text}" for name, text in sorted(runs[1].items()) if runs[0].get(name, text) != text
    ]
    if other:
        yield f"made with {', '.join(other)}"


def _grown(old: Provenance, new: Provenance) -> str:
    before, after = old.inputs_bytes, new.inputs_bytes
    known = before is not None and after is not None and before != after
    return f", {human_bytes(before)} → {human_bytes(after)}" if known else ""


def _of_recipe(older: Entry, newer: Entry) -> Iterator[str]:
    old, new = older.provenance, newer.provenance
    commits = [_commit(each.recipe_commit) for each in (old, new)]
    moved = f"commit {commits[0]} → {commits[1]}" if commits[0] != commits[1] else ""
    if old.recipe_digest != new.recipe_digest and new.recipe_digest:
        yield f"recipe: changed{f', {moved}' if moved else ''}"
    elif moved:
        yield f"recipe: the same, at {moved}"


def _commit(text: str | None) -> str:
    name, _, dirty = (text or "not known").partition("-")
    return f"{name[:10] if text else name}{' with uncommitted changes' if dirty else ''}"


def _of_trust(older: Entry, newer: Entry) -> Iterator[str]:
    if older.check.level != newer.check.level:
        yield f"check: {older.check.level} → {newer.check.level}"
    before, after = (sum(len(gap.inputs) for gap in each.gaps) for each in (older, newer))
    if before != after:
        yield f"missing inputs: {before:,} → {after:,}"


def _of_authors(older: Entry, newer: Entry) -> Iterator[str]:
    for name, noun in SAID.items():
        before, after = getattr(older, name), getattr(newer, name)
        if before != after:
            yield f"{noun}: {before or 'none'} → {after or 'none'}" if name in SHORT else f"{noun}: rewritten"
