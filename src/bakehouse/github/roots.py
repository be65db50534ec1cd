"""Look at the root of a published store as anybody would, without credentials."""

from __future__ import annotations

import hashlib
from typing import Any

from bakehouse.catalog.entry import Entry
from bakehouse.errors import PublishError, StorageError
from bakehouse.storage import Target
from bakehouse.writers.template import root_names

MAX_ROOT_BYTES = 64_000_000
PATIENCE: Any = {"client_options": {"timeout": "30s", "connect_timeout": "10s"}}


def root_note(entry: Entry) -> str:
    """Compare a store's root with the digest in its entry; say what was seen.

    The address of the store has to be checked before.

    Raises
    ------
    PublishError
        If the root is not there, or another one.
    """
    if entry.store.format != "zarr":
        return f"{entry.id}: the root of a store in format {entry.store.format} was not compared"
    store, name = Target(entry.store.url, _anonymous(entry)), root_names(entry.store.zarr_format)[-1]
    try:
        size = store.size(name)
        data = store.get(name) if size is not None and size <= MAX_ROOT_BYTES else None
    except StorageError:
        return f"{entry.id}: the store can't be read without credentials, so its root was not compared"
    found = f"sha256:{hashlib.sha256(data).hexdigest()}" if data is not None else f"nothing of use ({size} bytes)"
    if found != entry.digests.root:
        message = f"the root of '{entry.id}' is not what its entry says"
        cause = f"{name} is {found}, the entry says {entry.digests.root}"
        raise PublishError(message, entry.store.url, cause, f"bake it again: bakehouse bake {entry.id}")
    return f"{entry.id}: the root is what the entry says"


def _anonymous(entry: Entry) -> dict[str, Any]:
    said = entry.store.storage
    if said.protocol in ("gs", "gcs"):
        return {"token": "anon", **PATIENCE}
    named = {"endpoint_url": said.endpoint, "region": said.region}
    return {"anon": True, **{key: value for key, value in named.items() if value}, **PATIENCE}
