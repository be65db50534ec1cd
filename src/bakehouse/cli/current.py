"""Whether an update has nothing to do, found out from what is stored: neither Beam nor xarray is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakehouse.cli.entries import store_state
from bakehouse.errors import StorageError

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.selection import Chosen
    from bakehouse.feedstock import Feedstock
    from bakehouse.meta.parameters import PatternSpec


def is_current(place: Place, chosen: Chosen, entry: Entry) -> bool:
    """Say whether a store holds every input of its pattern, and is what was registered.

    Only what meta.yaml says alone is answered: False means that the recipe has to be asked. Inputs are not asked
    whether they have changed.
    """
    spec = declared_pattern(chosen.feedstock, chosen.recipe)
    if spec is None or entry.provenance.recipe_digest != f"sha256:{chosen.feedstock.digest_of(chosen.recipe)}":
        return False
    return _holds(place, entry, spec) and store_state(place, entry)[0] == "baked"


def declared_pattern(feedstock: Feedstock, recipe: str) -> PatternSpec | None:
    """Give the one pattern among the parameters of the shared recipe that meta.yaml names; None if it names none."""
    from bakehouse.meta.parameters import PatternSpec
    from bakehouse.meta.shared import find_shared_recipe, load_shared_recipe, parameters_class

    entry = next((each for each in feedstock.meta.recipes if each.id == recipe and each.recipe), None)
    if entry is None:
        return None
    module = load_shared_recipe(find_shared_recipe(str(entry.recipe), feedstock.root))
    parameters = parameters_class(module).model_validate(entry.with_)
    found = [value for _, value in parameters if isinstance(value, PatternSpec)]
    return found[0] if len(found) == 1 else None


def _holds(place: Place, entry: Entry, spec: PatternSpec) -> bool:
    from bakehouse.patterns import key_of
    from bakehouse.writers.versions import load_base

    target = place.recipe_target(entry.feedstock, entry.recipe)
    try:
        base = load_base(target, entry.version or "", entry.provenance.inputs_digest)
    except StorageError:
        return False
    asked = {key_of(index): str(url) for index, url in spec.to_file_pattern().items()}
    return not base.gaps and asked == {known.key: known.url for known in base.inputs}
