"""From the JSON that commands print to the parts of a check's result; what is not as expected is a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bakehouse.github.child import Ran
from bakehouse.github.limited import made
from bakehouse.github.result import Failure, Finding, Plan, Recipe, Trial

M = TypeVar("M", bound=BaseModel)
Json = Mapping[str, Any]

_TAIL_LINES = 15
_PLAN = ("dims", "format", "zarr_format", "decoded_bytes", "objects", "tasks", "bakery", "notes")
_ARRAY = ("name", "dtype", "dims", "shape", "chunks", "shards", "objects", "bytes", "moves")


def findings_of(ran: Ran) -> tuple[Finding, ...]:
    """Give what lint listed."""
    listed = (ran.document or {}).get("findings")
    fields = tuple(Finding.model_fields)
    return tuple(made(Finding, _picked(each, fields)) for each in listed) if isinstance(listed, list) else ()


def failures_of(step: str, ran: Ran) -> tuple[Failure, ...]:
    """Give what kept a step from answering for its recipes."""
    if ran.fault:
        said = "\n".join(ran.tail.strip().split("\n")[-_TAIL_LINES:])
        text = f"bakehouse {step} gave no answer: {ran.fault}"
        fix = f"run it on your machine: bakehouse {step}"
        return (made(Failure, {"error": "NoAnswer", "message": text, "cause": said or None, "fix": fix}),)
    error = (ran.document or {}).get("error")
    return (_failure(error),) if isinstance(error, dict) else ()


def recipes_of(plans: Ran, trials: Ran, prune: int, shown: Callable[[str], str | None]) -> tuple[Recipe, ...]:
    """Join what `plan` and `test` say of each recipe.

    Parameters
    ----------
    shown
        Gives the representation of a recipe's dataset as xarray prints it.
    """
    planned, tried = _by_name(plans), _by_name(trials)
    return tuple(_recipe(name, planned.get(name), tried.get(name), prune, shown) for name in {**planned, **tried})


def _by_name(ran: Ran) -> dict[str, Json]:
    listed = (ran.document or {}).get("recipes")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {str(each.get("recipe") or each.get("feedstock")): each for each in found}


def _recipe(
    name: str, planned: Json | None, tried: Json | None, prune: int, shown: Callable[[str], str | None]
) -> Recipe:
    plan, no_plan = _either(planned, _plan)
    trial, no_trial = _either(tried, lambda said: _trial(said, prune, shown(name)))
    parts = {"plan": plan, "plan_failure": no_plan, "trial": trial, "trial_failure": no_trial}
    return Recipe.model_validate({"recipe": name[:200], **parts})


def _either(said: Json | None, read: Callable[[Json], M]) -> tuple[M | None, Failure | None]:
    if said is None:
        return None, None
    if isinstance(error := said.get("error"), dict):
        return None, _failure(error)
    try:
        return read(said), None
    except (ValidationError, TypeError, AttributeError, KeyError) as error:
        message = f"the answer is not of the expected form: {type(error).__name__}"
        return None, made(Failure, {"error": "UnexpectedAnswer", "message": message})


def _plan(said: Json) -> Plan:
    inputs, arrays = said["inputs"], said["arrays"]
    named = {"inputs": inputs["count"], "inputs_bytes": inputs["bytes"], "memory_bytes": said.get("buffers_bytes")}
    ends = {"first": inputs["first"], "last": inputs["last"], "cost_usd": said.get("cost_usd")}
    listed = {"arrays": [_picked(each, _ARRAY) for each in arrays], "arrays_total": len(arrays)}
    return made(Plan, {**_picked(said, _PLAN), **named, **ends, **listed})


def _trial(said: Json, prune: int, shown: str | None) -> Trial:
    fields = ("objects", "bytes_stored", "values_compared", "duration_s", "notes")
    return made(Trial, {**_picked(said, fields), "prune": prune, "repr": shown})


def _failure(said: Json) -> Failure:
    found = _picked(said, ("error", "message", "where", "cause", "fix"))
    texts = {key: value if value is None or isinstance(value, str) else str(value) for key, value in found.items()}
    return made(Failure, {"error": "Error", "message": "it failed", **texts})


def _picked(said: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: said[key] for key in keys if key in said}
