"""What reading a store takes, in words: who may, where it lies, and where credentials are looked for."""

from __future__ import annotations

from collections.abc import Iterator

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.lines import storage_options
from bakehouse.catalog.words import access_words

WHO = {
    True: "Anonymous: no credentials are needed.",
    False: "Credentials are needed; they are never in the catalog.",
    None: "Whether credentials are needed is not stated; your own are used if you have any.",
}
VARIABLES = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; for temporary ones AWS_SESSION_TOKEN, too",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, the path of a key file",
    "az": "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY",
}
"""Environment variables that obstore, fsspec's file systems and Icechunk all read."""


def who(entry: Entry) -> str:
    """Say who may read a store."""
    said = entry.store.storage
    if said.protocol == "file":
        return "The store lies on the machine that built this page; it is not published."
    if said.protocol in ("http", "https"):
        return WHO[False] if said.anonymous is False else "Read over the web; no credentials are needed."
    return WHO[said.anonymous]


def where(entry: Entry) -> Iterator[tuple[str, str]]:
    """Give endpoint, region and access as programs spell them, and where they look for credentials."""
    said = entry.store.storage
    if said.endpoint:
        yield "Endpoint", said.endpoint
    if said.region:
        yield "Region", said.region
    if options := storage_options(entry.store):
        yield "Options for fsspec", repr(options)
    if said.anonymous is not True and said.protocol in VARIABLES:
        yield "Credentials from", VARIABLES[said.protocol]


def seen(entry: Entry) -> list[str]:
    """Say what was seen of a linked store by a stranger, in sentences."""
    words = access_words(entry.access) if entry.access else ()
    return [f"{clause[0].upper()}{clause[1:]}." for clause in words]
