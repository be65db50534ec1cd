"""What a bake or a link records: the store's place, how it was checked, what it was made from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import FiniteFloat, NonNegativeInt, model_validator

from bakehouse.catalog.canonical import JsonValue, Model, Text, Utc
from bakehouse.catalog.urls import StoreUrl, WebUrl, as_url, protocol_of

OPEN_KWARGS = frozenset(
    ("concat_characters", "decode_cf", "decode_coords", "decode_timedelta", "decode_times", "drop_variables")
    + ("group", "mask_and_scale", "use_cftime")
)
"""What an entry may pass to xarray; nothing that could choose other code or another place to read from."""


class Storage(Model):
    """How to reach the store's url; never a credential. `anonymous` says that none is needed.

    `requester_pays` says whether readers are charged for what they read.
    """

    protocol: str = ""
    endpoint: WebUrl | None = None
    region: str | None = None
    anonymous: bool | None = None
    requester_pays: bool | None = None


class Store(Model):
    """Where the store is and how to open it; `snapshot` is the one of an Icechunk repository that was checked.

    `references` is the protocol by which what a virtual store refers to is reached, where it is one for all.

    A `url` without scheme that is not absolute is relative to the catalog. The protocol is found from the
    url if it is left out.
    """

    url: StoreUrl
    format: Literal["zarr", "icechunk", "kerchunk"] = "zarr"
    zarr_format: Literal[2, 3]
    consolidated: bool
    storage: Storage = Storage()
    open_kwargs: dict[str, JsonValue] = {}
    snapshot: str | None = None
    references: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _find_protocol(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("url"), str):
            return data
        url, said = as_url(data["url"]), data.get("storage") or {}
        fields = said.model_dump() if isinstance(said, Storage) else said
        if isinstance(fields, dict) and not fields.get("protocol"):
            fields = {**fields, "protocol": protocol_of(url)}
        return {**data, "url": url, "storage": fields}

    @model_validator(mode="after")
    def _consistent(self) -> Store:
        if (found := protocol_of(self.url)) != self.storage.protocol:
            raise ValueError(f"url {self.url!r} is {found}, storage.protocol says {self.storage.protocol}")
        if self.snapshot is not None and self.format != "icechunk":
            raise ValueError(f"a {self.format} store has no snapshot")
        if unknown := sorted(set(self.open_kwargs) - OPEN_KWARGS):
            raise ValueError(f"open_kwargs {unknown} not allowed; known: {', '.join(sorted(OPEN_KWARGS))}")
        return self


class Seen(Model):
    """An object as its server described it when it was read; `key` is its place below the store."""

    key: Text
    etag: Text | None = None
    size_bytes: NonNegativeInt | None = None


class Access(Model):
    """What a stranger could do when the store was opened: no credentials, a page of another origin.

    `anonymous` says that a chunk was read; `cors` that browsers may read documents and chunks from any page; `ranges`
    that parts of a chunk can be read; `egress_free` that the provider is known to charge nobody for reading.
    """

    anonymous: bool
    cors: bool | None = None
    ranges: bool | None = None
    egress_free: bool | None = None
    root: Seen | None = None
    chunk: Seen | None = None


class Check(Model):
    """How the store was compared with its sources, and how much of it.

    full: every value; sampled: a stated sample; reachable: opened, sources not compared; declared: not reached yet.
    """

    level: Literal["full", "sampled", "reachable", "declared"]
    checked_at: Utc | None = None
    objects_checked: NonNegativeInt | None = None
    objects_total: NonNegativeInt | None = None
    values_compared: NonNegativeInt | None = None
    values_total: NonNegativeInt | None = None
    sources: Text | None = None


class Run(Model):
    """One run of the recipe. `versions` maps bakehouse, python, xarray, zarr, beam … to theirs."""

    started_at: Utc
    finished_at: Utc
    duration_s: FiniteFloat
    runner: Text | None = None
    versions: dict[str, Text] = {}
    bytes_read: NonNegativeInt | None = None
    bytes_written: NonNegativeInt | None = None
    cost_usd: FiniteFloat | None = None


class Provenance(Model):
    """What the store was made from, and by which run.

    `input_identity` says how strongly the inputs are identified: "etag+size", "mtime+size", "sha256" or "size".
    """

    recipe_commit: Text | None = None
    recipe_digest: str | None = None
    inputs_digest: str | None = None
    inputs_count: NonNegativeInt | None = None
    inputs_bytes: NonNegativeInt | None = None
    input_identity: str | None = None
    run: Run | None = None
    options: dict[str, JsonValue] = {}


class Digests(Model):
    """Digests of the root document and of the proof, as "sha256:…".

    Of a linked store whose metadata are not consolidated, `root` covers all its documents.
    """

    root: str | None = None
    proof: str | None = None


class Change(Model):
    """What changed since the version that was current when another took its place, in sentences for people."""

    since: str
    said: tuple[Text, ...] = ()


class Version(Model):
    """A version that an entry pointed to before; readable until it is removed."""

    version: str
    url: StoreUrl
    published_at: Utc | None = None
    snapshot: str | None = None
    change: Change | None = None


def store_of(version: Version, current: Store) -> Store:
    """Say how a version that an entry pointed to before is opened, from how its present one is.

    Examples
    --------
    >>> now = Store(url="sea.icechunk", format="icechunk", snapshot="1A", zarr_format=3, consolidated=False)
    >>> store_of(Version(version="v1", url="v1.zarr"), now).format
    'zarr'
    """
    plain = "zarr" if current.format == "icechunk" else current.format
    format = "icechunk" if version.snapshot else plain
    consolidated = current.consolidated if format == current.format else format == "zarr"
    update = {"url": version.url, "snapshot": version.snapshot, "format": format, "consolidated": consolidated}
    return current.model_copy(update=update)


class Note(Model):
    """Something that the bake reports: what was dropped, filled or re-encoded, and why."""

    message: Text
    kind: str = "note"
    variable: Text | None = None


class Gap(Model):
    """Inputs that were not there, and where fill stands in their place: `ranges` maps a dimension to first, last."""

    inputs: tuple[Text, ...]
    ranges: dict[str, tuple[JsonValue, JsonValue]] = {}
    reason: Text | None = None


class Reader(Model):
    """A program that was run on this very store."""

    name: str
    version: str
    outcome: Text


class Status(Model):
    """Whether the store should be used; `successor` is the id of the entry to use instead.

    `seen` is what the store showed when it was opened again, and `since` when that began: `gone`, `private`,
    `unreachable`, `changed` or `damaged`. Without it, a person wrote the status, and no program changes it.
    """

    state: Literal["live", "degraded", "deprecated"] = "live"
    reason: Text | None = None
    successor: str | None = None
    seen: Literal["gone", "private", "unreachable", "changed", "damaged"] | None = None
    since: Utc | None = None
