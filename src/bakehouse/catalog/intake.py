"""The entries as an Intake catalog: one source for each store that its zarr driver can open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lines import storage_options
from bakehouse.catalog.stac import stac_id

MAX_LENGTH = 2000
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's, where PyYAML was built with it: ten times as fast."""


def to_intake(entries: Iterable[Entry]) -> str:
    """Write Intake's YAML, which its versions 0.7 and 2 read.

    Icechunk repositories and references are left out: no driver of intake-xarray opens them as they are.
    """
    named = {stac_id(entry): entry for entry in entries if entry.store.format == "zarr"}
    versions = {name: entry.version for name, entry in named.items() if entry.version}
    sources = {name: _source(entry) for name, entry in named.items()}
    document = {"metadata": {"version": 1, "versions": versions}, "sources": sources}
    return str(yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=False, width=1000))


def _source(entry: Entry) -> dict[str, Any]:
    """Give one source; braces in its texts are doubled where Intake would fill templates in."""
    store, access = entry.store, storage_options(entry.store)
    args = {"urlpath": store.url, "consolidated": store.consolidated, **store.open_kwargs}
    said = {"id": entry.id, "title": entry.title[:MAX_LENGTH], "version": entry.version, "license": entry.license}
    return {
        "driver": "zarr",
        "description": (entry.description or entry.title)[:MAX_LENGTH],
        "args": {**args, **({"storage_options": access} if access else {})},
        "metadata": {key: value for key, value in said.items() if value},
    }
