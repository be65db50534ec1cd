"""The hosts that recipes read from: ``server.py PORT FOLDER``.

``/HOST/PATH`` is a file of the folder, with ranges, folders as pages of links, and a password where the folder has a
``.authorization``. ``/storage/v1/…`` and ``/download/…`` are as much of Google Cloud Storage as gcsfs needs, for the
buckets in the folder's ``gs``. Loopback only.
"""

from __future__ import annotations

import json
import re
import sys
from email.utils import formatdate
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
OBJECT = re.compile(r"(?:/download)?/storage/v1/b/([^/]+)/o(?:/(.+))?$")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, *rest: object) -> None:
        self.folder = folder
        super().__init__(*rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Describe a file."""
        self.answer(body=False)

    def do_GET(self) -> None:
        """Give a file, a part of one, or a list."""
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        """Find what is asked for."""
        parts = urlsplit(self.path)
        if found := OBJECT.match(parts.path):
            return self.cloud(found[1], unquote(found[2] or ""), parse_qs(parts.query), body)
        path = self.folder / unquote(parts.path).strip("/")
        if not self.allowed(path):
            return self.send(401, b"unauthorized", "text/plain", body)
        if path.is_dir():
            return self.send(200, page(path), "text/html", body)
        return self.give(path, body)

    def allowed(self, path: Path) -> bool:
        """Compare the password with the one of the host, if it has any."""
        wanted = (
            self.folder / path.relative_to(self.folder).parts[0] / ".authorization" if path != self.folder else path
        )
        return not wanted.is_file() or self.headers.get("Authorization") == wanted.read_text().strip()

    def cloud(self, bucket: str, key: str, query: dict[str, list[str]], body: bool) -> None:
        """Answer as Google Cloud Storage does."""
        root = self.folder / "gs" / bucket
        if not key:
            prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
            return self.send(
                200, json.dumps(listing(root, bucket, prefix, delimiter)).encode(), "application/json", body
            )
        if not (root / key).is_file():
            return self.send(404, b'{"error": {"code": 404, "message": "Not Found"}}', "application/json", body)
        if query.get("alt") == ["media"]:
            return self.give(root / key, body)
        return self.send(200, json.dumps(described(root, bucket, root / key)).encode(), "application/json", body)

    def give(self, path: Path, body: bool) -> None:
        """Send a file or the range of it that is asked for."""
        if not path.is_file() or ".." in path.parts:
            return self.send(404, b"not found", "text/plain", body)
        held, code, modified = path.read_bytes(), 200, path.stat().st_mtime
        headers = {"Last-Modified": formatdate(modified, usegmt=True), "ETag": f'"{modified:.0f}-{len(held):x}"'}
        start, stop = 0, len(held)
        if found := RANGE.match(self.headers.get("Range", "")):
            first, last = found.groups()
            code, start = 206, int(first) if first else max(0, stop - int(last))
            stop = min(int(last) + 1, stop) if first and last else stop
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(held)}"
        if code == 206 and start >= stop:
            return self.send(416, b"", "text/plain", body)
        return self.send(code, held[start:stop], "application/octet-stream", body, headers)

    def send(self, code: int, data: bytes, kind: str, body: bool, headers: dict[str, str] | None = None) -> None:
        """Send an answer."""
        self.send_response(code)
        own = {"Content-Length": str(len(data)), "Content-Type": kind, "Accept-Ranges": "bytes", **(headers or {})}
        for name, value in own.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


def page(folder: Path) -> bytes:
    """Give a folder's page of links."""
    names = sorted(each.name + "/" * each.is_dir() for each in folder.iterdir() if each.name[0] != ".")
    return "".join(f'<a href="{name}">{name}</a>\n' for name in names).encode()


def described(root: Path, bucket: str, path: Path) -> dict[str, object]:
    """Describe an object."""
    name, size = str(path.relative_to(root)), str(path.stat().st_size)
    fixed = {"kind": "storage#object", "updated": "2000-01-01T00:00:00Z", "timeCreated": "2000-01-01T00:00:00Z"}
    return {**fixed, "bucket": bucket, "name": name, "size": size, "generation": "1", "etag": "1"}


def listing(root: Path, bucket: str, prefix: str, delimiter: str) -> dict[str, object]:
    """List a bucket's objects, all on one page."""
    found = sorted(
        path for path in root.rglob("*") if path.is_file() and str(path.relative_to(root)).startswith(prefix)
    )
    items, prefixes = [], set()
    for path in found:
        rest = str(path.relative_to(root))[len(prefix) :]
        if delimiter and delimiter in rest:
            prefixes.add(prefix + rest.split(delimiter)[0] + delimiter)
        else:
            items.append(described(root, bucket, path))
    return {"kind": "storage#objects", "items": items, "prefixes": sorted(prefixes)}


if __name__ == "__main__":
    make = partial(Handler, Path(sys.argv[2]))
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), make).serve_forever()
