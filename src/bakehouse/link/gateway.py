"""Read an Icechunk repository by way of this machine, so that every byte of it comes through the guarded client.

Icechunk has a client of its own, which resolves names and follows redirects by itself. It is given an endpoint on
loopback, on a port that nobody knows beforehand, where nothing can be had but what lies below the repository.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from bakehouse.errors import BakehouseError
from bakehouse.link.place import Place
from bakehouse.storage.web import CHUNK_BYTES, Web

PASSED_ON = ("ETag", "Last-Modified", "Content-Type", "Content-Range", "Accept-Ranges", "x-amz-version-id")
BUCKET = "linked"


class Gateway(ThreadingHTTPServer):
    """An S3 endpoint with one bucket; `reads` lists the addresses that were read, `failures` what went wrong."""

    daemon_threads = True

    def __init__(self, web: Web, place: Place) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        assert place.bucket is not None
        self.web, self.place = web, place
        self.base, self.prefix = place.bucket
        self.reads: list[str] = []
        self.failures: list[BakehouseError] = []

    @property
    def endpoint(self) -> str:
        """Give the address that Icechunk is told."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def gateway(web: Web, place: Place) -> Iterator[Gateway]:
    """Run a gateway until the context ends."""
    server = Gateway(web, place)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_GET(self) -> None:
        self._pass_on(True)

    def do_HEAD(self) -> None:
        self._pass_on(False)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _pass_on(self, with_body: bool) -> None:
        """Answer as the bucket does."""
        url = self._address()
        if url is None:
            return self._answer(403, {}, b"")
        asked = (self.headers.get("Range") or "").removeprefix("bytes=") or None
        try:
            answer = self.server.web.get(url, asked, limit=CHUNK_BYTES)
        except BakehouseError as error:
            self.server.failures.append(error)
            return self._answer(403, {}, b"")
        self.server.reads += [url] if answer.ok and "?" not in url else []
        kept = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        self._answer(answer.status, kept, answer.body if with_body else b"", len(answer.body))

    def _address(self) -> str | None:
        """Give the address in the bucket; None for what does not lie below the repository."""
        parts = urlsplit(self.path)
        bucket, _, key = parts.path.lstrip("/").partition("/")
        inside = unquote(key).startswith(f"{self.server.prefix}/") and ".." not in unquote(key)
        if bucket != BUCKET or not (inside or (not key and "list-type=2" in parts.query)):
            return None
        return f"{self.server.base}/{key}" if key else f"{self.server.base}?{parts.query}"

    def _answer(self, status: int, headers: dict[str, str], body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
