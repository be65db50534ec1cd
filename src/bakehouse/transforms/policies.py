"""Policies that a recipe chooses by name: a misspelt one must not pass for another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bakehouse.errors import RecipeError, did_you_mean


def insist_known(name: str, value: object, known: Iterable[str]) -> None:
    """Refuse a policy that does not exist.

    Raises
    ------
    RecipeError
        If the value is none of those known.

    Examples
    --------
    >>> insist_known("order", "sorted", ("error", "sort"))
    Traceback (most recent call last):
    bakehouse.errors.RecipeError: RecipeError: order is 'sorted'
      fix:   did you mean 'sort'?
    """
    if value not in tuple(known):
        raise RecipeError(f"{name} is {value!r}", None, None, did_you_mean(str(value), known))


def insist_tolerance(value: Mapping[str, float] | float | None) -> None:
    """Refuse tolerances that are no lengths.

    Raises
    ------
    RecipeError
        If any is negative, infinite or no number.
    """
    for name, each in value.items() if isinstance(value, Mapping) else [("", value or 0.0)]:
        if isinstance(each, bool) or not isinstance(each, int | float) or not math.isfinite(each) or each < 0:
            where = f" of '{name}'" if name else ""
            raise RecipeError(
                f"coordinate_tolerance{where} is {each!r}", None, None, "give a length in the coordinate's own units"
            )
