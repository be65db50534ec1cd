"""What `leap_data_management_utils.data_management_transforms` has, on any file system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import apache_beam as beam
import yaml
import zarr

from bakehouse.compat.fsstore import Candidate, FSStore
from bakehouse.compat.notes import noted
from bakehouse.context import current
from bakehouse.errors import RecipeError
from bakehouse.patterns import is_pruned
from bakehouse.storage import Target, make_source
from bakehouse.writers.publish import consolidated
from bakehouse.writers.template import is_metadata, root_names

__all__ = [
    "Copy",
    "CopyRclone",
    "InjectAttrs",
    "RegisterDatasetToCatalog",
    "get_catalog_store_urls",
    "get_github_actions_url",
    "get_github_commit_url",
]


def get_catalog_store_urls(catalog_yaml_path: str) -> dict[str, str]:
    """Read a LEAP catalog.yaml: the id of each store, and its URL.

    Raises
    ------
    RecipeError
        If the file has no stores.
    """
    with open(catalog_yaml_path, encoding="utf-8") as file:
        found = yaml.safe_load(file) or {}
    if "stores" not in found:
        raise RecipeError("there are no stores", catalog_yaml_path, None, "add stores: [{id: …, url: …}]")
    return {str(store["id"]): str(store["url"]) for store in found["stores"]}


def get_github_actions_url() -> str:
    """Give the address of the run on GitHub, or ``none`` elsewhere."""
    parts = [os.getenv(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if os.getenv("GITHUB_ACTIONS") != "true" or not all(parts):
        return "none"
    server, repository, run = parts
    return f"{server}/{repository}/actions/runs/{run}"


def get_github_commit_url() -> str:
    """Give the address of the commit that runs, by GitHub's variables or the checkout's origin; else ``none``."""
    parts = [os.getenv(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "SHA")]
    if os.getenv("GITHUB_ACTIONS") == "true" and all(parts):
        server, repository, commit = parts
        return f"{server}/{repository}/commit/{commit}"
    origin, commit = _git("config", "--get", "remote.origin.url"), _git("rev-parse", "HEAD")
    if not origin or not commit or "github.com" not in origin:
        return "none"
    repository = origin.rpartition("github.com")[2].lstrip(":/").removesuffix(".git")
    return f"https://github.com/{repository}/commit/{commit}"


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


@dataclass
class InjectAttrs(beam.PTransform):
    """Write attributes into the store's root, before it is published.

    Parameters
    ----------
    inject_attrs
        The attributes.
    add_provenance
        Add the commit, the run on GitHub, and when it ran.
    """

    inject_attrs: dict[str, Any] | None = None
    add_provenance: bool = True

    def expand(self, pcoll: Any) -> Any:
        """Write them."""
        stamps = {
            "pangeo_forge_build_git_hash": get_github_commit_url(),
            "pangeo_forge_gh_actions_url": get_github_actions_url(),
            "pangeo_forge_build_timestamp": datetime.now(UTC).isoformat(),
        }
        attrs = {**(self.inject_attrs or {}), **(stamps if self.add_provenance else {})}
        return pcoll | "Attributes" >> beam.Map(_with_attrs, attrs)


def _with_attrs(store: Any, attrs: Mapping[str, Any]) -> Any:
    zarr.open_group(store, mode="r+", use_consolidated=False).attrs.update(attrs)
    return store


@dataclass
class Copy(beam.PTransform):
    """Copy the store to another place: its objects, then its documents, the root last.

    Parameters
    ----------
    target
        URL of the copy; False or None copies nothing. A pruned bake copies nothing either, which its notes say.

    Raises
    ------
    StorageError
        If it can't be written.
    """

    target: Any

    def expand(self, pcoll: Any) -> Any:
        """Copy it."""
        context = current()
        if not self.target:
            return pcoll
        if is_pruned():
            return pcoll | "Skip" >> beam.Map(noted, context, f"a pruned bake is not copied to {self.target}")
        mirrors = dict(context.url_map) if context else {}
        return pcoll | "Copy" >> beam.Map(_copied, make_source(str(self.target), {}, mirrors).location, self._options())

    def _options(self) -> Mapping[str, Any]:
        """Give the target's storage options; None takes those of the store, if both lie on one kind of storage."""
        return {}


@dataclass
class CopyRclone(Copy):
    """Copy the store to an S3 bucket at an endpoint of its own.

    Parameters
    ----------
    target
        As in `Copy`.
    remote_endpoint_url
        The endpoint; `remove_endpoint_url` is another spelling in use. Keys come from ``OSN_LEAP_PIPELINE_KEY`` and
        ``OSN_LEAP_PIPELINE_KEY_SECRET``, or from the environment as for every S3 bucket.
    """

    remote_endpoint_url: str | None = None
    remove_endpoint_url: str | None = None

    def _options(self) -> Mapping[str, Any]:
        names = {"key": "OSN_LEAP_PIPELINE_KEY", "secret": "OSN_LEAP_PIPELINE_KEY_SECRET"}
        keys = {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}
        endpoint = self.remote_endpoint_url or self.remove_endpoint_url
        return {**keys, **({"endpoint_url": endpoint} if endpoint else {})}


def _copied(store: Any, url: str, options: Mapping[str, Any]) -> FSStore:
    """Copy a store and give the copy."""
    source, documents = _parts(store)
    same = url.partition("://")[0] == source.url.partition("://")[0]
    target = Target(url, {**(source.options if same else {}), **options})
    for key, _ in source.list():
        if not is_metadata(key):
            source.copy(key, target, key)
    last = [name for name in root_names(3) + root_names(2) if name in documents]
    for key in [*sorted(set(documents) - set(last)), *last]:
        target.put(key, documents[key])
    return FSStore(url, **target.options)


def _parts(store: Any) -> tuple[Target, Mapping[str, bytes]]:
    """Give a store's place, and its documents."""
    if isinstance(store, Candidate):
        place = Target(store.url, getattr(store.candidate.target, "options", {}))
        return place, consolidated(store.candidate.documents, store.candidate.zarr_format)
    place = Target(str(store.fs.unstrip_protocol(store.path)), dict(store.fs.storage_options))
    found = {key: place.get(key) for key, _ in place.list() if is_metadata(key)}
    return place, {key: data for key, data in found.items() if data is not None}


@dataclass
class RegisterDatasetToCatalog(beam.PTransform):
    """Leave the store as it is: the bake registers it in the catalog, not in a BigQuery table; a note says so.

    Parameters
    ----------
    table_id, dataset_id
        The table and the name that LEAP's own catalog has.
    """

    table_id: str
    dataset_id: str

    def expand(self, pcoll: Any) -> Any:
        """Note it."""
        text = f"not registered as '{self.dataset_id}' in the BigQuery table {self.table_id}: the catalog has the store"
        return pcoll | "Register" >> beam.Map(noted, current(), text)
