"""A loopback HTTP server that tells little of its files: no byte ranges, and only the headers that it is given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Plain:
    """A running server. `headers` go with every answer; without `length`, bodies come in chunks of unknown number.

    While `stalls`, a body stops half-way, which `halfway` says, until `go` is set.
    """

    folder: Path
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    length: bool = True
    stalls: bool = False
    sent: list[tuple[str, str]] = field(default_factory=list)
    halfway: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def gets(self) -> list[str]:
        """List the files that were sent, in order."""
        return [path for method, path in self.sent if method == "GET"]


@contextmanager
def plain_server(folder: Path, **options: object) -> Iterator[Plain]:
    """Serve a folder until the context ends."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.daemon_threads = True
    state = httpd.state = Plain(folder, f"http://127.0.0.1:{httpd.server_port}", **options)  # type: ignore[arg-type, attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.go.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def _answer(self, body: bool) -> None:
        state: Plain = self.server.state  # type: ignore[attr-defined]
        path = unquote(urlsplit(self.path).path).lstrip("/")
        file = state.folder / path
        data = file.read_bytes() if file.is_file() else b""
        state.sent.append((self.command, path))
        self.send_response(200 if file.is_file() else 404)
        for name, value in state.headers.items():
            self.send_header(name, value)
        if state.length or not data:
            self.send_header("Content-Length", str(len(data)))
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if body and state.stalls:
            self.wfile.write(data[: len(data) // 2])
            state.halfway.set()
            state.go.wait(60)
            self.close_connection = True
        elif body and data:
            self.wfile.write(data if state.length else b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))
