"""Where a store comes from: inputs, recipe and run, and how it was compared with its sources."""

from __future__ import annotations

from collections.abc import Iterator

from bakehouse.catalog.entry import Entry, Run
from bakehouse.catalog.words import human_bytes, plural


def provenance(entry: Entry) -> Iterator[tuple[str, str]]:
    """Say what a store was made from, and by which run."""
    made, run = entry.provenance, entry.provenance.run
    inputs = [plural(made.inputs_count, "file")] if made.inputs_count is not None else []
    inputs += [human_bytes(made.inputs_bytes)] if made.inputs_bytes is not None else []
    inputs += [f"identified by {made.input_identity}"] if made.input_identity else []
    said = [
        ("Recipe", f"commit {made.recipe_commit}" if made.recipe_commit else None),
        ("Recipe digest", made.recipe_digest),
        ("Inputs", ", ".join(inputs)),
        ("Inputs digest", made.inputs_digest),
        ("Root digest", entry.digests.root),
        ("Proof digest", entry.digests.proof),
    ]
    yield from ((label, text) for label, text in said if text)
    if run:
        yield from ((label, text) for label, text in _run(run) if text)


def _run(run: Run) -> Iterator[tuple[str, str]]:
    """Describe a run; a cost that nobody measured is not free of charge."""
    moved = ((run.bytes_read, "read"), (run.bytes_written, "written"))
    where = run.runner or "runner not stated"
    yield "Run", f"{run.started_at:%Y-%m-%d %H:%M} UTC, {_seconds(run.duration_s)}, {where}"
    yield "Bytes", ", ".join(f"{human_bytes(count)} {word}" for count, word in moved if count is not None)
    yield "Cost", f"{run.cost_usd:.2f} USD" if run.cost_usd is not None else "not metered"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))


def _seconds(count: float) -> str:
    if count < 90:
        return f"{count:.1f} s"
    return f"{count / 60:.0f} min" if count < 5400 else f"{count / 3600:.1f} h"


def checked(entry: Entry) -> str:
    """Say in a sentence how the store was compared with its sources."""
    check = entry.check
    when = f" on {check.checked_at:%Y-%m-%d}" if check.checked_at else ""
    some = (
        f" ({check.values_compared:,} of {check.values_total:,})"
        if check.values_compared and check.values_total
        else ""
    )
    return {
        "full": f"Every value was compared with its source{when}{some}.",
        "sampled": f"A sample of the values was compared with the sources{when}{some}.",
        "reachable": f"The store was opened{when}; it was not compared with its sources.",
        "declared": "Not checked: the store was not reached yet. What stands here is what its maintainers say.",
    }[check.level]
