"""What the tests of linking share: stores on loopback, a listener that must not be spoken to, names that lie."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import xarray as xr

from bakehouse.catalog.entry import Entry
from bakehouse.link.entry import Linking, make_entry
from bakehouse.meta.models import FeedstockMeta, LinkedStore
from bakehouse.storage.public import Allowed
from tests.support.s3 import S3

META: Any = {"title": "Sea", "provenance": {"license": "CC0-1.0"}, "maintainers": [{"name": "Josiah Carberry"}]}


def trusting(*urls: str) -> Allowed:
    """Trust the servers of the given addresses, and no other."""
    return Allowed.of(urlsplit(url).netloc for url in urls)


def linked(url: str, *trusted: str, endpoint: str | None = None, format: str = "auto", **said: Any) -> Entry:
    """Link a store, trusting the given servers only."""
    store = LinkedStore(id="sea", url=url, **said)
    meta = FeedstockMeta(**META)
    return make_entry(Linking("sea", meta, store, format, endpoint, trusting(*trusted), 60))


@dataclass
class Listener:
    """A port on loopback that counts who connects."""

    port: int
    connections: list[Any] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Give its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen until the context ends; whoever connects is noted and hung up on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                listener.connections.append(address)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def naming(patch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Let names resolve as a table says; give the list of what was asked for. Other names are not known."""
    asked: list[str] = []
    real: Callable[..., Any] = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host in names:
            asked.append(host)
            return [found for each in names[host] for found in real(each, port, *args, **kwargs)]
        if not isinstance(host, str) or not host[:1].isdigit():
            raise socket.gaierror(f"no test may ask for {host!r}")
        return real(host, port, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", resolve)
    return asked


def upload(s3: S3, folder: Path, prefix: str, acl: str = "public-read") -> str:
    """Put a folder's files into a bucket, open to all or not; give its address."""
    client = s3_client(s3)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            client.put_object(Bucket=s3.bucket, Key=key, Body=path.read_bytes(), ACL=acl)
    return f"s3://{s3.bucket}/{prefix}"


def repository(s3: S3, prefix: str, ds: xr.Dataset, virtual: str | None = None) -> str:
    """Write a dataset to an Icechunk repository for everybody, one chunk elsewhere if asked; give the snapshot."""
    import icechunk

    s3_client(s3).put_bucket_acl(Bucket=s3.bucket, ACL="public-read")
    access = {"access_key_id": s3.key, "secret_access_key": s3.secret, "region": s3.region, "allow_http": True}
    storage = icechunk.s3_storage(
        bucket=s3.bucket, prefix=prefix, endpoint_url=s3.endpoint, force_path_style=True, **access
    )
    session = icechunk.Repository.open_or_create(storage).writable_session("main")
    ds.to_zarr(session.store, consolidated=False, mode="w")
    if virtual:
        session.store.set_virtual_ref("sst/c/0/0/0", virtual, offset=0, length=8, validate_container=False)
    return str(session.commit("the sea"))


def s3_client(s3: S3) -> Any:
    """Give a client with credentials."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.key,
        aws_secret_access_key=s3.secret,
        region_name=s3.region,
        config=Config(s3={"addressing_style": "path"}),
    )


def says_what_xarray_sees(entry: Entry, ds: xr.Dataset) -> None:
    """Compare an entry's facts with the dataset that was stored."""
    assert entry.facts is not None
    assert {name: each.size for name, each in entry.facts.dims.items()} == dict(ds.sizes)
    variables = {each.name: each for each in entry.facts.variables}
    assert {name: (each.shape, each.dims) for name, each in variables.items()} == {
        str(name): (each.shape, each.dims) for name, each in ds.variables.items()
    }
    assert {name: each.dtype for name, each in variables.items()} == {
        str(name): str(each.dtype) for name, each in ds.variables.items()
    }
    assert variables["sst"].units == ds.sst.attrs["units"]
    assert entry.facts.bbox == (-180.0, -75.0, 180.0, 75.0)
    assert entry.facts.time is not None
    assert entry.facts.time.start[:10] == str(ds.time.values[0])[:10]
    assert entry.facts.time.end[:10] == str(ds.time.values[-1])[:10]
