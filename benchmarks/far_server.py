"""As much of S3 as readers need, at a distance: ``far_server.py PORT FOLDER SECONDS``.

Serves the folder's folders as buckets: HEAD, GET with ranges and conditions, and lists. Each request is answered so
many seconds later; requests on different connections do not wait for each other. A server of its own, because
``rclone serve s3`` does not answer a range with 206, which some clients insist on. Loopback only; signatures are not
checked.
"""

from __future__ import annotations

import re
import sys
import time
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class Server(ThreadingHTTPServer):
    """Many connections at once."""

    request_queue_size = 512
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, folder: Path, delay_s: float, *rest: object) -> None:
        self.folder, self.delay_s = folder, delay_s
        super().__init__(*rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Describe an object."""
        self.answer(body=False)

    def do_GET(self) -> None:
        """Give an object, a part of one, or a list."""
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        """Answer after a while."""
        time.sleep(self.delay_s)
        parts = urlsplit(self.path)
        path, query = self.folder / unquote(parts.path).strip("/"), parse_qs(parts.query)
        if path.is_dir():
            self.send(200, listing(path, query.get("prefix", [""])[0]) if body else b"")
        elif not path.is_file() or ".." in path.parts:
            self.send(404, b"<Error><Code>NoSuchKey</Code></Error>" if body else b"")
        else:
            self.give(path, body)

    def give(self, path: Path, body: bool) -> None:
        """Send a file or the range of it that is asked for."""
        held = path.stat()
        etag = f'"{held.st_mtime_ns:x}-{held.st_size:x}"'
        if self.headers.get("If-Match", etag) not in (etag, "*"):
            return self.send(412, b"<Error><Code>PreconditionFailed</Code></Error>" if body else b"")
        start, stop, code = 0, held.st_size, 200
        if found := RANGE.match(self.headers.get("Range", "")):
            first, last = found.groups()
            code, start = 206, int(first) if first else max(0, held.st_size - int(last))
            stop = min(int(last) + 1, held.st_size) if first and last else held.st_size
        if start >= stop and code == 206:
            return self.send(416, b"<Error><Code>InvalidRange</Code></Error>" if body else b"")
        headers = {"ETag": etag, "Last-Modified": formatdate(held.st_mtime, usegmt=True), "Accept-Ranges": "bytes"}
        if code == 206:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{held.st_size}"
        self.head(code, stop - start, "application/octet-stream", headers)
        if body:
            with path.open("rb") as file:
                self.connection.sendfile(file, start, stop - start)

    def send(self, code: int, text: bytes) -> None:
        """Send a short document."""
        self.head(code, len(text), "application/xml", {})
        self.wfile.write(text)

    def head(self, code: int, length: int, kind: str, headers: dict[str, str]) -> None:
        """Send the head of an answer."""
        self.send_response(code)
        for name, value in {"Content-Length": str(length), "Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()


def listing(bucket: Path, prefix: str) -> bytes:
    """List the objects of a bucket, all on one page."""
    rows = "".join(
        f"<Contents><Key>{escape(path.name)}</Key><Size>{path.stat().st_size}</Size>"
        "<LastModified>2000-01-01T00:00:00.000Z</LastModified><ETag>&quot;0&quot;</ETag></Contents>"
        for path in sorted(bucket.iterdir())
        if path.is_file() and path.name.startswith(prefix)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{escape(bucket.name)}</Name><Prefix>{escape(prefix)}</Prefix><IsTruncated>false</IsTruncated>"
        f"{rows}</ListBucketResult>"
    ).encode()


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), partial(Handler, Path(sys.argv[2]), float(sys.argv[3]))).serve_forever()
