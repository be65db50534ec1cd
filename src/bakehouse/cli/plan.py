"""`bakehouse plan`: what a bake would do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.catalog.entry import Entry
    from bakehouse.cli.bakeries import Place
    from bakehouse.cli.engine import Done, Settings

LONG = ("task_ids", "sampled")
"""Lists of tasks, which only the driver of a run needs."""


@click.command("plan")
@options.recipes
@options.elsewhere
@options.isolated
@options.prune()
@options.missing
@options.bakery
@options.workers
@options.mirrors
@options.cache
@options.project
@options.common
def command(
    names: tuple[str, ...],
    subdir: str | None,
    ref: str | None,
    isolated: bool,
    prune: int | None,
    missing: str,
    bakery: str | None,
    workers: int | None,
    mirrors: tuple[tuple[str, str], ...],
    cache: str | None,
    project: Path | None,
) -> Reply:
    """Say what a bake would do.

    Reads headers and coordinates, no data, and writes nothing. Shows inputs and bytes, the output's dimensions,
    chunks, shards and objects, which arrays are computed and why, and the memory that a worker needs.
    """
    from bakehouse.cli.bakeries import place_around
    from bakehouse.cli.engine import Settings, run_each
    from bakehouse.cli.isolation import isolate
    from bakehouse.cli.selection import choose
    from bakehouse.cli.words import Where

    place = place_around(project, bakery, names)
    if isolated:
        isolate(place.root, names, Where(subdir, ref))
    settings = Settings(place, prune, None, workers, dict(mirrors), cache, missing=missing)
    chosen = choose(place.root, names, where=Where(subdir, ref))
    done = run_each("planning", chosen, lambda chosen, watch: _plan(settings, chosen, watch))
    text = "\n\n".join(_text(each, settings.place) for each in done if not each.error)
    return Reply(text, {"recipes": [each.as_dict() for each in done]}, ok=all(not each.error for each in done))


def _plan(settings: Settings, chosen: Any, watch: Any) -> dict[str, Any]:
    from bakehouse.bake import plan_recipe

    entry = _published(settings.place, chosen.name) if not settings.prune else None
    plan = plan_recipe(replace(settings.job(chosen, watch), entry=entry))
    threads = settings.workers or settings.place.bakery.workers or os.cpu_count() or 1
    return {
        **{key: value for key, value in plan.items() if key not in LONG},
        "bakery": settings.place.name,
        "threads": threads,
        "buffers_bytes": min(threads, plan["tasks"]) * plan["largest_task_bytes"],
        "overwrites": [],
        "published": entry.version if entry else None,
        "cost_usd": _cost_usd(settings, plan),
    }


def _cost_usd(settings: Settings, plan: dict[str, Any]) -> float | None:
    """Estimate what the bakery would charge, if that is known."""
    bakery = settings.place.bakery
    if not bakery.is_service:
        return 0 if bakery.runner == "direct" else None
    from bakehouse.bakeries.dataflow.cost import estimate
    from bakehouse.meta.dataflow import Dataflow

    return estimate(plan, bakery.dataflow or Dataflow(), settings.workers).usd


def _cost(place: Place, plan: dict[str, Any]) -> str:
    cost = plan["cost_usd"]
    if cost is None:
        return "not known for this runner"
    return f"{place.name} bakery: " + (f"about ${cost:.2f}, at list prices; an estimate" if cost else "no cost")


def _published(place: Place, name: str) -> Entry | None:
    """Give the bakery's entry of the recipe."""
    from bakehouse.cli.entries import entry_of
    from bakehouse.errors import CatalogError

    try:
        return entry_of(place, name)
    except CatalogError:  # a broken entry is replaced by the next bake
        return None


def _text(done: Done, place: Place) -> str:
    from bakehouse.cli.text import human_bytes, labelled, plural, short, table

    plan = done.result
    size = f"{plural(plan['objects'], 'object')}, {human_bytes(plan['decoded_bytes'])} decoded"
    rows = [
        ("inputs", _inputs(plan["inputs"])),
        ("output", " × ".join(f"{dim} {size}" for dim, size in plan["dims"].items()) or "scalars only"),
        ("arrays", table([_HEADER, *(_row(array) for array in plan["arrays"])])),
        ("store", f"{'Icechunk, ' if plan['format'] == 'icechunk' else ''}zarr {plan['zarr_format']}, {size}"),
        ("work", f"{plural(plan['tasks'], 'task')} in {place.title}"),
        ("memory", _memory(plan)),
        ("check", _check(plan)),
        ("version", f"{plan['version']}: {_news(plan)}"),
        ("cost", _cost(place, plan)),
        *(("note", note) for note in plan["notes"]),
    ]
    return f"{short(done.name)}\n{labelled(rows)}"


def _inputs(inputs: dict[str, Any]) -> str:
    from bakehouse.cli.text import human_bytes, plural

    count = f"{plural(inputs['count'], 'file')}, {human_bytes(inputs['bytes'])}, identified by {inputs['identity']}"
    return f"{count}\nfrom {inputs['first']}\nto   {inputs['last']}"


def _memory(plan: dict[str, Any]) -> str:
    from bakehouse.cli.text import human_bytes, plural

    each = f"{plural(plan['threads'], 'thread')}, at most {human_bytes(plan['largest_task_bytes'])} each"
    return f"about {human_bytes(plan['buffers_bytes'])} of arrays per worker ({each}), and what each decodes at a time"


def _check(plan: dict[str, Any]) -> str:
    from bakehouse.cli.text import plural

    if plan["check"]["level"] == "full":
        return "every value is compared with its source"
    return f"{plan['check']['tasks']:,} of {plural(plan['tasks'], 'task')} are compared with their sources"


_HEADER = ["name", "dtype", "shape", "chunks", "shards", "objects", "size", "how"]


def _row(array: dict[str, Any]) -> list[str]:
    from bakehouse.cli.text import human_bytes

    shards = _lengths(array["shards"]) if array["shards"] else "-"
    counts = [f"{array['objects']:,}", human_bytes(array["bytes"])]
    return [
        array["name"],
        array["dtype"],
        _lengths(array["shape"]),
        _lengths(array["chunks"]),
        shards,
        *counts,
        _how(array),
    ]


def _how(array: dict[str, Any]) -> str:
    """Say whether an array's bytes are moved, and if not, why."""
    if array["moves"]:
        return "moved"
    done = "computed" if array["computed_because"] else "decoded"
    spilled = ", by way of tiles" if array["spills"] else ""
    return f"{done}{spilled}: {array['computed_because'] or array['stays_because']}"


def _lengths(lengths: list[int]) -> str:
    return "×".join(str(n) for n in lengths) or "scalar"


def _news(plan: dict[str, Any]) -> str:
    if plan["published"] == plan["version"]:
        return "published already; a bake would change nothing"
    before = f"; {plan['published']} stays readable" if plan["published"] else ""
    return f"new, overwrites nothing{before}"
