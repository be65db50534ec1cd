"""Where a transform writes when no bake says it: upstream's target roots."""

from __future__ import annotations

from typing import Any

from pangeo_forge_recipes.storage import FSSpecTarget

from bakehouse.storage import as_target


class RequiredAtRuntimeDefault:
    """Stand for an argument that the run gives: the target of `bakehouse bake`."""


class ZarrWriterMixin:
    """Name the place of a store below a target root.

    Attributes
    ----------
    store_name, target_root
        Set by the transform that uses it.
    """

    store_name: str
    target_root: Any

    def get_full_target(self) -> FSSpecTarget:
        """Give the target root with the store's name.

        Raises
        ------
        RecipeError
            If the transform has no target root.
        """
        root = insisted(self.target_root, type(self).__name__, self.store_name)
        found = FSSpecTarget.from_url(root) if isinstance(root, str) else root
        return found / self.store_name


def root_of(target_root: Any) -> Any:
    """Give a target root as a `Target`, or None where the run gives it."""
    return None if isinstance(target_root, RequiredAtRuntimeDefault) else as_target(target_root)


def insisted(target_root: Any, what: str, store_name: str) -> Any:
    """Give a target root that is there.

    Raises
    ------
    RecipeError
        If there is none.
    """
    from bakehouse.errors import RecipeError

    if target_root is None or isinstance(target_root, RequiredAtRuntimeDefault):
        raise RecipeError(
            f"{what} has no target",
            store_name,
            "the pipeline runs outside of 'bakehouse bake'",
            "run it with 'bakehouse bake', or pass target_root",
        )
    return target_root
