"""Serve a site and the local stores of its entries on this machine: byte ranges and CORS, as a bucket would."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bakehouse.catalog.entry import Entry
from bakehouse.catalog.render import preview_url

HOST = "127.0.0.1"
ROOTS = ("zarr.json", ".zgroup", ".zmetadata")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_TYPES = {".js": "text/javascript", ".json": "application/json", ".xml": "application/xml", ".wasm": "application/wasm"}


def shelves(entries: Iterable[Entry]) -> dict[str, Path]:
    """Map the address of each store and preview on this disk, below ``/stores/``, to its folder.

    What is no zarr store is left out: pages of any origin may read what is served, and an entry may name any folder.
    """
    from bakehouse.storage import local_path

    found: dict[str, Path] = {}
    for entry in entries:
        for url in _urls(entry) if entry.store.storage.protocol == "file" else ():
            path = Path(local_path(url))
            if any((path / name).is_file() for name in ROOTS):
                found[f"{entry.id}/{_name(path)}"] = path
    return found


def _urls(entry: Entry) -> Iterator[str]:
    yield from (entry.store.url, *(each.url for each in entry.previous))
    if entry.preview and entry.preview.store:
        yield preview_url(entry, entry.preview.store)


def _name(path: Path) -> str:
    """Give a store's name; that of a preview's store, with its folder before it."""
    return f"{path.parent.name}/{path.name}" if path.parent.name.endswith(".preview") else path.name


def server(site: Path, stores: dict[str, Path], port: int) -> ThreadingHTTPServer:
    """Make a server that is bound to this machine alone; `port` 0 takes any that is free."""

    class Handler(_Handler):
        folder, shelf = site.resolve(), stores

    return ThreadingHTTPServer((HOST, port), Handler)


class _Handler(SimpleHTTPRequestHandler):
    folder: Path
    shelf: dict[str, Path]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file or a part of it."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with a file's headers."""
        self._answer(body=False)

    def do_OPTIONS(self) -> None:
        """Allow what readers of zarr ask for."""
        self.send_response(HTTPStatus.NO_CONTENT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def end_headers(self) -> None:
        """Add what lets other origins read, and keeps browsers from holding on to what is built anew."""
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
        self.send_header("Access-Control-Allow-Headers", "Range, If-Match, If-None-Match")
        self.send_header("Access-Control-Expose-Headers", "Content-Range, Content-Length, ETag, Accept-Ranges")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a page asks for hundreds of chunks."""

    def _answer(self, body: bool) -> None:
        path = urlsplit(self.path).path
        found = self._file(unquote(path))
        if found is not None and found.is_dir():
            if not path.endswith("/"):
                return self._redirect(path + "/")
            found = found / "index.html"
        if found is None or not found.is_file():
            return self._plain(HTTPStatus.NOT_FOUND, b"not there\n" if body else b"")
        self._send(found, body)

    def _file(self, path: str) -> Path | None:
        """Find the file that an address means; nothing outside of the site and the stores is ever found."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts or "\0" in path:
            return None
        if parts[:1] == ["stores"]:
            named = (("/".join(parts[1:end]), parts[end:]) for end in (4, 5))
            return next((_inside(self.shelf[name], rest) for name, rest in named if name in self.shelf), None)
        return _inside(self.folder, parts)

    def _redirect(self, to: str) -> None:
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _plain(self, status: HTTPStatus, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _send(self, path: Path, body: bool) -> None:
        state = path.stat()
        span = part(self.headers.get("Range"), state.st_size)
        if span is None:
            return self._plain(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"")
        first, last = span
        partly = (last - first + 1) < state.st_size
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partly else HTTPStatus.OK)
        self.send_header("Content-Type", _TYPES.get(path.suffix) or self.guess_type(str(path)))
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{state.st_mtime_ns:x}-{state.st_size:x}"')
        self.send_header("Last-Modified", formatdate(state.st_mtime, usegmt=True))
        if partly:
            self.send_header("Content-Range", f"bytes {first}-{last}/{state.st_size}")
        self.end_headers()
        if body:
            self._copy(path, first, last)

    def _copy(self, path: Path, first: int, last: int) -> None:
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            while left > 0 and (piece := file.read(min(left, 1 << 20))):
                self.wfile.write(piece)
                left -= len(piece)


def _inside(top: Path, parts: list[str]) -> Path | None:
    """Join a path, and follow its links only as far as they stay inside."""
    found = top.joinpath(*parts).resolve()
    return found if found.is_relative_to(top.resolve()) else None


def part(header: str | None, size: int) -> tuple[int, int] | None:
    """Give the first and last byte that a Range header asks for; None if there are no such bytes.

    Examples
    --------
    >>> part(None, 10), part("bytes=2-4", 10), part("bytes=-3", 10), part("bytes=10-", 10)
    ((0, 9), (2, 4), (7, 9), None)
    """
    found = _RANGE.fullmatch(header or "")
    if found is None or not any(found.groups()):
        return 0, size - 1
    start, end = found.groups()
    if not start:
        return (max(0, size - int(end)), size - 1) if int(end) and size else None
    first, last = int(start), min(int(end), size - 1) if end else size - 1
    return (first, last) if first <= last else None
