"""What `pangeo_forge_ndpyramid.transforms` has: it is understood, and refused."""

from __future__ import annotations

from typing import Any

import apache_beam as beam

from bakehouse.errors import RecipeError

__all__ = ["StoreToPyramid"]


class StoreToPyramid(beam.PTransform):
    """Refuse to make a pyramid, whose levels are groups of one store: a recipe makes one store of one group.

    Parameters
    ----------
    said
        The arguments of upstream's transform.

    Raises
    ------
    RecipeError
        Always, when the pipeline is put together.
    """

    def __init__(self, *args: Any, **said: Any) -> None:
        super().__init__()
        self.store_name = said.get("store_name")

    def expand(self, pcoll: Any) -> Any:
        """Refuse."""
        raise RecipeError(
            "StoreToPyramid can't be baked yet",
            self.store_name,
            "the levels of a pyramid are groups of one store; a recipe makes a store of one group",
            "end the recipe with StoreToZarr, and make the pyramid from its store",
        )
