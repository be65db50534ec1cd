"""Reads from the public web, guarded: every address is checked before it is connected to, every answer is bounded.

Names are resolved once for a connection, and it is opened to what was checked: an answer that changes in between
changes nothing. Redirects are followed by hand, so that each hop is checked as the first address was. Nothing of the
environment takes part: no proxy, no credentials, no cookies.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bakehouse.errors import AddressError, StorageError
from bakehouse.storage.answers import MB, Answer, Limit, decoded, part_of, whole_body
from bakehouse.storage.public import Allowed, as_url, without_secrets
from bakehouse.storage.remote import first_line

if TYPE_CHECKING:
    from aiohttp.abc import ResolveResult

DOCUMENT_BYTES = 64 * MB
CHUNK_BYTES = 512 * MB
HOPS = 5
TRIES = 3
BACKOFF_S = 0.4
REQUEST_S = 60.0
CONNECT_S = 15.0
TRANSIENT = (408, 429, 500, 502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)


class Web:
    """A client for what others name; give it back with `close`, or use it as a context.

    Parameters
    ----------
    allowed
        What may be connected to.
    seconds
        How long all requests together may take.
    """

    def __init__(self, allowed: Allowed, seconds: float = 300.0) -> None:
        self.allowed, self.seconds = allowed, seconds
        self._end = time.monotonic() + seconds
        self._session: aiohttp.ClientSession | None = None

    def __enter__(self) -> Web:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Close its connections."""
        self.close()

    def get(
        self,
        url: str,
        asked: str | None = None,
        *,
        limit: int = DOCUMENT_BYTES,
        headers: Mapping[str, str] = MappingProxyType({}),
        begin: bool = False,
    ) -> Answer:
        """Ask for an object, or for a range of it; an answer with an error's status is one, too.

        Parameters
        ----------
        asked
            The range: ``0-99``, ``100-`` or ``-8``.
        limit
            How many bytes the answer may have.
        begin
            Give the beginning of an answer that has more, instead of refusing it.

        Raises
        ------
        AddressError
            If the address, or one that it redirects to, must not be connected to. Nothing was sent there.
        StorageError
            If nobody answers, or too late, or too much.
        """
        from fsspec.asyn import get_loop, sync

        self.allowed.check(url)
        answer: Answer = sync(get_loop(), self._get, url, asked, Limit(limit, begin), headers)
        return answer

    def insist(self, url: str) -> None:
        """Check an address and all that its host resolves to, without connecting to it.

        Raises
        ------
        AddressError
            If it must not be connected to.
        StorageError
            If its host is not known.
        """
        from fsspec.asyn import get_loop, sync

        self.allowed.check(url)
        parts = as_url(url)
        try:
            sync(get_loop(), self._resolve, parts.raw_host, parts.port)
        except OSError as error:
            raise self._failed(url, error) from None

    def close(self) -> None:
        """Close its connections."""
        from fsspec.asyn import get_loop, sync

        if self._session is not None:
            session, self._session = self._session, None
            sync(get_loop(), session.close)

    async def _resolve(self, host: str, port: int) -> None:
        await _Resolver(self.allowed).resolve(host, port)

    async def _get(self, url: str, asked: str | None, limit: Limit, headers: Mapping[str, str]) -> Answer:
        said = {"Accept-Encoding": "identity", **headers, **({"Range": f"bytes={asked}"} if asked else {})}
        for attempt in range(TRIES):
            try:
                answer = await self._follow(as_url(url), said, limit)
                if answer.status not in TRANSIENT or attempt == TRIES - 1:
                    return part_of(answer, asked)
            except (TimeoutError, aiohttp.ClientError, OSError) as error:
                if attempt == TRIES - 1 or time.monotonic() > self._end:
                    raise self._failed(url, error) from None
            await asyncio.sleep(BACKOFF_S * 2**attempt * random.uniform(0.5, 1.5))
        raise AssertionError("unreachable")

    async def _follow(self, url: URL, headers: Mapping[str, str], limit: Limit) -> Answer:
        """Ask, and follow redirects, each checked before it is followed."""
        for _ in range(HOPS + 1):
            self.allowed.check(url)
            answer = await self._ask(url, headers, limit)
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or target is None:
                return answer
            url = _joined(url, target)
        raise StorageError(f"more than {HOPS} redirects", without_secrets(url), None, "give the one that they lead to")

    async def _ask(self, url: URL, headers: Mapping[str, str], limit: Limit) -> Answer:
        left = self._end - time.monotonic()
        if left <= 0:
            raise StorageError(f"reading took longer than {self.seconds:g} s", without_secrets(url), None, SLOW)
        timeout = aiohttp.ClientTimeout(total=min(left, REQUEST_S), connect=min(left, CONNECT_S))
        async with self._opened().get(url, headers=headers, allow_redirects=False, timeout=timeout) as response:
            redirected = response.status in REDIRECTS
            body = b"" if redirected else decoded(await whole_body(response, limit), response.headers, limit, url)
            return Answer(str(url), response.status, response.headers, body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=_Resolver(self.allowed), limit=16)
            self._session = aiohttp.ClientSession(
                connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        return self._session

    def _failed(self, url: str, error: BaseException) -> StorageError:
        late = isinstance(error, TimeoutError)
        cause = "no answer in time" if late else first_line(error)
        return StorageError("the server does not answer", without_secrets(as_url(url)), cause, "check the address")


SLOW = "try again; --timeout allows more"


class _Resolver(AbstractResolver):
    """Resolves names, and refuses those that lead anywhere but to the public internet."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed, self.inner = allowed, aiohttp.ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self.inner.resolve(host, port, family)
        self.allowed.check_addresses(host, port, [each["host"] for each in found])
        return found

    async def close(self) -> None:
        await self.inner.close()


def _joined(url: URL, target: str) -> URL:
    try:
        return url.join(URL(target, encoded=True))
    except ValueError as error:
        raise AddressError("redirects to what is no address", without_secrets(url), str(error)) from None
