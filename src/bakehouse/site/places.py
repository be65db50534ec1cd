"""Which variables hold true latitudes and longitudes, by CF's standard names or units."""

from __future__ import annotations

from bakehouse.catalog.facts import Facts, Variable
from bakehouse.catalog.roles import LAT_UNITS, LON_UNITS


def latitudes(facts: Facts) -> list[Variable]:
    """List the coordinates that are latitudes."""
    return [each for each in facts.variables if _is(each, "latitude", LAT_UNITS)]


def longitudes(facts: Facts) -> list[Variable]:
    """List the coordinates that are longitudes."""
    return [each for each in facts.variables if _is(each, "longitude", LON_UNITS)]


def _is(variable: Variable, standard_name: str, units: frozenset[str]) -> bool:
    if variable.role != "coordinate":
        return False
    if variable.standard_name:
        return variable.standard_name == standard_name
    return (variable.units or "").lower() in units
