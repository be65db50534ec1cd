"""Where a bucket lies, in the words of STAC's storage extension (version 2.0)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bakehouse.catalog.record import Storage, Store

AWS_PLATFORM = "https://{bucket}.s3.{region}.amazonaws.com"
AZURE_PLATFORM = "https://{account}.blob.core.windows.net"


def storage_scheme(store: Store) -> dict[str, Any] | None:
    """Describe the bucket; None for local files and plain web servers, which need no more than the url.

    Examples
    --------
    >>> storage_scheme(Store(url="gs://bucket/a.zarr", zarr_format=3, consolidated=True))["platform"]
    'https://storage.googleapis.com/{bucket}'
    """
    bucket, region = urlsplit(store.url).netloc, store.storage.region
    where = {"bucket": bucket, **({"region": region} if region else {})}
    access: dict[str, Any] = {"title": "No credentials needed"} if store.storage.anonymous else {}
    if store.storage.requester_pays is not None:
        access["requester_pays"] = store.storage.requester_pays
    match store.storage.protocol:
        case "s3":
            return {**_s3_platform(store, region), **where, **access}
        case "gs":
            return {"type": "gcs", "platform": "https://storage.googleapis.com/{bucket}", **where, **access}
        case "az":
            return {"type": "ms-azure", "platform": AZURE_PLATFORM, "account": bucket, **access}
    return None


def _s3_platform(store: Store, region: str | None) -> dict[str, str]:
    """Name the endpoint; Amazon's own template needs a region."""
    if store.storage.endpoint:
        return {"type": "custom-s3", "platform": store.storage.endpoint}
    if region:
        return {"type": "aws-s3", "platform": AWS_PLATFORM}
    return {"type": "custom-s3", "platform": "https://{bucket}.s3.amazonaws.com"}


def web_url(url: str, storage: Storage) -> str | None:
    """Give the https address at which a browser reaches a store; None for what lies on a disk.

    Examples
    --------
    >>> web_url("gs://bucket/a.zarr", Storage(protocol="gs"))
    'https://storage.googleapis.com/bucket/a.zarr'
    """
    parts = urlsplit(url)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    match storage.protocol:
        case "http" | "https":
            return url
        case "s3" if storage.endpoint:
            return f"{storage.endpoint.rstrip('/')}/{bucket}/{key}"
        case "s3":
            region = f".{storage.region}" if storage.region else ""
            return f"https://{bucket}.s3{region}.amazonaws.com/{key}"
        case "gs":
            return f"https://storage.googleapis.com/{bucket}/{key}"
        case "az":
            return f"https://{bucket}.blob.core.windows.net/{key}"
    return None
