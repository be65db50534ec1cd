"""What lies directly below a prefix of a bucket that everybody may list, in S3's XML, which Google speaks too."""

from __future__ import annotations

from urllib.parse import quote, unquote
from xml.etree import ElementTree

from bakehouse.errors import LinkError
from bakehouse.link.place import Place
from bakehouse.storage.web import Web

PAGES = 20


def names_below(web: Web, place: Place, folder: str = "") -> list[str] | None:
    """List folders below a folder of a store; None where nobody can list.

    Raises
    ------
    LinkError
        If there are more than a store's metadata would need.
    """
    if place.bucket is None:
        return None
    base, start = place.bucket
    prefix = "/".join(part for part in (start, folder.strip("/")) if part) + "/"
    found: list[str] = []
    token = ""
    for _ in range(PAGES):
        query = f"list-type=2&delimiter=%2F&encoding-type=url&prefix={quote(prefix, safe='')}"
        query += f"&continuation-token={quote(token, safe='')}" if token else ""
        answer = web.get(f"{base}?{query}")
        if not answer.ok:
            return None
        names, token = _page(answer.body, prefix)
        found += names
        if not token:
            return found
    raise LinkError(f"more than {PAGES} pages of folders", place.url, None, "link one of its groups")


def _page(body: bytes, prefix: str) -> tuple[list[str], str]:
    """Read one page of a listing; documents that declare entities, which can grow without bound, are none."""
    if b"<!" in body:
        return [], ""
    try:
        root = ElementTree.fromstring(body.decode())
    except (ElementTree.ParseError, ValueError):
        return [], ""
    texts = [(element.tag.rpartition("}")[2], element.text or "") for element in root.iter()]
    starts = [unquote(text) for tag, text in texts if tag == "Prefix"]
    names = [text.removeprefix(prefix).strip("/") for text in starts if text != prefix and text.startswith(prefix)]
    token = next((text for tag, text in texts if tag == "NextContinuationToken"), "")
    return names, token
