"""The region of a bucket at Amazon, which readers have to know and the service tells everybody."""

from __future__ import annotations

from bakehouse.link.place import AMAZON, Place, place_of
from bakehouse.storage.web import Web

HEADER = "x-amz-bucket-region"


def with_region(web: Web, place: Place) -> Place:
    """Ask for a bucket's region, where an entry would lack it."""
    storage = place.storage
    if storage.protocol != "s3" or storage.endpoint or storage.region:
        return place
    bucket = place.url.removeprefix("s3://").partition("/")[0]
    answer = web.get(f"{AMAZON}/{bucket}?list-type=2&max-keys=0")
    region = answer.headers.get(HEADER)
    return place_of(place.url, region=region) if region else place
