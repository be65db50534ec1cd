"""Whether the inputs of a published version are upstream what they were when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.feedstock import Feedstock
    from bakehouse.storage import Change

SHOWN = 5


@dataclass(frozen=True)
class Inputs:
    """What became of a version's inputs; `gaps` are still not there, those that `appeared` were gaps."""

    unchanged: int
    changed: tuple[Change, ...] = ()
    gone: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    appeared: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether the store still holds what its inputs hold."""
        return not (self.changed or self.gone)


def ask_inputs(place: Place, feedstock: Feedstock | None, entry: Entry, mirrors: Mapping[str, str]) -> Inputs:
    """Ask the place of every input what it holds now; nothing is read, unless nothing but its content can tell.

    Raises
    ------
    StorageError
        If the list of inputs is not beside the store.
    SourceError
        If a place can't be reached.
    """
    from bakehouse.storage import source_changes
    from bakehouse.writers.versions import load_base

    target = place.recipe_target(entry.feedstock, entry.recipe)
    known = load_base(target, entry.version or "", entry.provenance.inputs_digest).inputs
    options = _options(feedstock, entry.recipe)
    changes = list(source_changes([(each.url, each.identity) for each in known], options, mirrors))
    filled = [change for each, change in zip(known, changes, strict=True) if not each.gap]
    gaps = [change for each, change in zip(known, changes, strict=True) if each.gap]
    return Inputs(
        sum(not change.changed for change in filled),
        tuple(change for change in filled if change.changed and change.now),
        tuple(change.url for change in filled if change.now is None),
        tuple(change.url for change in gaps if change.now is None),
        tuple(change.url for change in gaps if change.now),
    )


def _options(feedstock: Feedstock | None, recipe: str) -> Mapping[str, object]:
    """Give the options with which inputs are opened, if meta.yaml says them and can be used."""
    from bakehouse.cli.current import declared_pattern
    from bakehouse.errors import RecipeError

    try:
        spec = declared_pattern(feedstock, recipe) if feedstock else None
    except (RecipeError, ValueError):
        return {}
    return spec.open_kwargs if spec else {}


def inputs_text(name: str, inputs: Inputs) -> str:
    """Count what was found, name the first of each kind, and say what to do."""
    from bakehouse.cli.text import labelled, plural

    counts = {
        "unchanged": inputs.unchanged,
        "changed": len(inputs.changed),
        "gone": len(inputs.gone),
        "gaps": len(inputs.gaps),
    }
    said = ", ".join(f"{n:,} {word if word != 'gaps' or n != 1 else 'gap'}" for word, n in counts.items())
    came = f", {plural(len(inputs.appeared), 'gap')} can be filled" if inputs.appeared else ""
    return "\n".join([f"{name}: inputs {said}{came}", *([labelled(rows)] if (rows := _rows(name, inputs)) else [])])


def _rows(name: str, inputs: Inputs) -> list[tuple[str, str]]:
    listed = {
        "changed": [f"{change.url}: {change.reason}" for change in inputs.changed],
        "gone": list(inputs.gone),
        "gap": list(inputs.gaps),
        "there": list(inputs.appeared),
    }
    rows = [(label, text) for label, texts in listed.items() for text in _first(texts)]
    if inputs.changed:
        rows.append(("fix", f"bakehouse update {name} --changed"))
    elif inputs.appeared:
        rows.append(("fix", f"bakehouse update {name}"))
    if inputs.gone:
        rows.append(("note", "the store still holds what is gone; ask its provider, or correct the pattern"))
    return rows


def _first(texts: list[str]) -> list[str]:
    more = [f"and {len(texts) - SHOWN:,} more"] if len(texts) > SHOWN else []
    return texts[:SHOWN] + more
