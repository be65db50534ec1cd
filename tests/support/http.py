"""A loopback HTTP server over a folder: byte ranges, validators, a request log, and faults on demand.

Examples
--------
>>> import tempfile, urllib.request
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "a.txt").write_bytes(b"0123456789")
>>> with serve(folder) as server:
...     request = urllib.request.Request(server.address("a.txt"), headers={"Range": "bytes=2-4"})
...     urllib.request.urlopen(request).read()
...     server.log
b'234'
[Request(method='GET', path='/a.txt', range='bytes=2-4', status=206, bytes=3)]
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


@dataclass(frozen=True)
class Request:
    """One answered request; `bytes` counts the body that was sent."""

    method: str
    path: str
    range: str | None
    status: int
    bytes: int


@dataclass(frozen=True)
class Fault:
    """What goes wrong with an answer.

    Parameters
    ----------
    status
        Answer with this status and no content.
    truncate_bytes
        Announce the whole body, send this much of it, then drop the connection.
    content_length
        Announce this length whatever is sent.
    delay_s
        Wait before answering.
    content
        Serve these bytes, with a new ETag, as if the file had been replaced.
    """

    status: int | None = None
    truncate_bytes: int | None = None
    content_length: int | None = None
    delay_s: float = 0
    content: bytes | None = None


@dataclass
class Server:
    """A running server; `log` lists every request in the order of their answers.

    Every answer has `headers`; the beginnings of paths in `redirects` lead elsewhere; without `ranges`, whole files
    are served whatever is asked.
    """

    folder: Path
    url: str
    log: list[Request] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    _faults: list[tuple[str, Fault, Collection[int] | None, str | None]] = field(default_factory=list)
    _seen: Counter[tuple[int, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def address(self, path: str | Path) -> str:
        """Give the URL of a file, by its path below the folder."""
        name = Path(path).relative_to(self.folder) if Path(path).is_absolute() else Path(path)
        return f"{self.url}/{quote(name.as_posix())}"

    def fail(
        self, path: str, fault: Fault, *, nth: int | Collection[int] | None = None, method: str | None = None
    ) -> None:
        """Let requests for a path go wrong: all of them, or the nth ones (counted from 1), of one method or any."""
        numbers = {nth} if isinstance(nth, int) else nth
        with self._lock:
            self._faults.append((_normal(path), fault, numbers, method))

    def heal(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()
            self._seen.clear()

    def url_map(self, *urls: str) -> dict[str, str]:
        """Map ``https://host/`` to this server's ``/host/``, for the hosts of the given URLs.

        Examples
        --------
        >>> Server(Path(), "http://127.0.0.1:8000").url_map("https://example.org/a/b.nc")
        {'https://example.org/': 'http://127.0.0.1:8000/example.org/'}
        """
        parts = [urlsplit(url) for url in urls]
        return {f"{p.scheme}://{p.netloc}/": f"{self.url}/{p.netloc}/" for p in parts}

    def requests(self, path: str | None = None, method: str | None = None) -> list[Request]:
        """Give the logged requests for a path, by a method, or all."""
        wanted = None if path is None else _normal(path)
        return [r for r in self.log if wanted in (None, r.path) and method in (None, r.method)]

    def sent_bytes(self, path: str | None = None) -> int:
        """Count the body bytes sent for a path, or for all."""
        return sum(request.bytes for request in self.requests(path))

    def clear(self) -> None:
        """Empty the log."""
        with self._lock:
            self.log.clear()

    def fault_for(self, path: str, method: str) -> Fault:
        """Count a request and give what is to go wrong with it."""
        with self._lock:
            for number, (where, fault, nth, only) in enumerate(self._faults):
                if where == path and only in (None, method):
                    self._seen[number, path] += 1
                    if nth is None or self._seen[number, path] in nth:
                        return fault
        return Fault()

    def record(self, request: Request) -> None:
        """Log an answered request."""
        with self._lock:
            self.log.append(request)


@contextmanager
def serve(folder: Path | str) -> Iterator[Server]:
    """Serve a folder on a free loopback port until the context ends."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.daemon_threads = True
    server = Server(Path(folder).resolve(), f"http://127.0.0.1:{httpd.server_port}")
    httpd.state = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet; `Server.log` has it all."""

    def _answer(self, with_body: bool) -> None:
        server: Server = self.server.state  # type: ignore[attr-defined]
        path = _normal(urlsplit(self.path).path)
        fault = server.fault_for(path, self.command)
        time.sleep(fault.delay_s)
        file = _find(server.folder, path)
        target = next(
            (to + path[len(start) :] for start, to in server.redirects.items() if path.startswith(start)), None
        )
        if target is not None:
            reply: Reply = (302, {"Location": target}, b"")
        elif fault.status is not None or file is None:
            reply = (fault.status or 404, {}, b"")
        else:
            asked = {name.title(): value for name, value in self.headers.items() if server.ranges or name != "Range"}
            reply = _reply(file, fault.content, asked)
        self._send(server, path, reply, fault, with_body)

    def _send(self, server: Server, path: str, reply: Reply, fault: Fault, with_body: bool) -> None:
        """Log before sending: a client that has its answer finds it in the log."""
        status, headers, body = reply
        length = len(body) if fault.content_length is None else fault.content_length
        sent = (body if fault.truncate_bytes is None else body[: fault.truncate_bytes]) if with_body else b""
        server.record(Request(self.command, path, self.headers.get("Range"), status, len(sent)))
        self.send_response(status)
        for name, value in {**headers, **server.headers}.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.close_connection = self.close_connection or (with_body and len(sent) != length)
        self.end_headers()
        self.wfile.write(sent)


def _normal(path: str) -> str:
    return "/" + unquote(path).lstrip("/")


def _find(folder: Path, path: str) -> Path | None:
    file = (folder / path.lstrip("/")).resolve()
    return file if file.is_file() and file.is_relative_to(folder) else None


def _reply(file: Path, replaced: bytes | None, asked: Mapping[str, str]) -> Reply:
    """Answer as RFC 9110 says: preconditions first, then the range, then the whole."""
    body = file.read_bytes() if replaced is None else replaced
    stat = file.stat()
    etag = (
        f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"' if replaced is None else f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    )
    headers = {"ETag": etag, "Last-Modified": formatdate(stat.st_mtime, usegmt=True), "Accept-Ranges": "bytes"}
    if refused := _precondition(asked, etag, int(stat.st_mtime)):
        return refused, headers, b""
    span = _span(asked.get("Range"), len(body)) if asked.get("If-Range") in (None, etag) else None
    if span is None:
        return 200, {**headers, "Content-Type": "application/octet-stream"}, body
    first, last = span
    if first > last:
        return 416, {**headers, "Content-Range": f"bytes */{len(body)}"}, b""
    return 206, {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}, body[first : last + 1]


def _precondition(asked: Mapping[str, str], etag: str, mtime: int) -> int | None:
    """Give 412 or 304 if a precondition fails."""
    if (wanted := asked.get("If-Match")) is not None:
        if not _matches(wanted, etag):
            return 412
    elif (since := asked.get("If-Unmodified-Since")) is not None and mtime > parsedate_to_datetime(since).timestamp():
        return 412
    if (known := asked.get("If-None-Match")) is not None:
        return 304 if _matches(known, etag) else None
    since = asked.get("If-Modified-Since")
    return 304 if since is not None and mtime <= parsedate_to_datetime(since).timestamp() else None


def _matches(listed: str, etag: str) -> bool:
    return listed.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in listed.split(",")]


def _span(asked: str | None, size: int) -> tuple[int, int] | None:
    """Give the first and last byte of a single range; None if there is no range that this server understands."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", (asked or "").replace(" ", ""))
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
