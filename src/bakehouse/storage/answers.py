"""Answers of web servers, within bounds: what came, and what part of it was asked for."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bakehouse.errors import StorageError
from bakehouse.storage.public import without_secrets

if TYPE_CHECKING:
    import aiohttp
    from yarl import URL

MB = 2**20
GZIP = 31
"""zlib's word for a gzip header."""


@dataclass(frozen=True)
class Answer:
    """What a server answered: `body` is decoded, and of the range that was asked for only."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Say whether there is something."""
        return self.status in (200, 206)

    @property
    def etag(self) -> str | None:
        """Give the answer's validator."""
        return self.headers.get("ETag")

    @property
    def size_bytes(self) -> int | None:
        """Give the size of the whole object."""
        total = self.headers.get("Content-Range", "").rpartition("/")[2]
        if self.status == 206:
            return int(total) if total.isdigit() else None
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isdigit() else len(self.body)


@dataclass(frozen=True)
class Limit:
    """How many bytes an answer may have; `begin` takes the beginning of one that has more."""

    size: int
    begin: bool = False

    def of(self, data: bytes, url: URL) -> bytes:
        """Give what may be had.

        Raises
        ------
        StorageError
            If there is more, and the beginning is not enough.
        """
        if len(data) > self.size and not self.begin:
            where = without_secrets(url)
            raise StorageError(f"the answer has more than {self.size / MB:g} MB", where, "no store needs as much here")
        return data[: self.size]


async def whole_body(response: aiohttp.ClientResponse, limit: Limit) -> bytes:
    """Read an answer as far as it may go."""
    parts, size = [], 0
    async for part in response.content.iter_chunked(MB):
        parts.append(part)
        size += len(part)
        if size > limit.size:
            break
    return limit.of(b"".join(parts), response.url)


def decoded(body: bytes, headers: Mapping[str, str], limit: Limit, url: URL) -> bytes:
    """Undo a compression that was not asked for, as far as it may go."""
    if headers.get("Content-Encoding", "identity") in ("identity", "") or not body:
        return body
    try:
        return limit.of(zlib.decompressobj(GZIP).decompress(body, limit.size + 1), url)
    except zlib.error as error:
        raise StorageError("the answer can't be read", without_secrets(url), f"it is no gzip: {error}") from None


def part_of(answer: Answer, asked: str | None) -> Answer:
    """Cut the range out of an answer that has everything."""
    if asked is None or answer.status != 200:
        return answer
    first, _, last = asked.partition("-")
    body = answer.body[-int(last) :] if not first else answer.body[int(first) : int(last) + 1 if last else None]
    return Answer(answer.url, answer.status, answer.headers, body)
