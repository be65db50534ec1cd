"""An HTTP proxy in front of an object store: it counts requests, and lets chosen ones go wrong.

The client signs for the proxy's own address, and the ``Host`` header is handed on as it came, so signatures stay valid.

Examples
--------
>>> import tempfile, urllib.request
>>> from pathlib import Path
>>> from tests.support.http import serve
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "a").write_bytes(b"12345")
>>> with serve(folder) as server, proxied(server.url) as proxy:
...     proxy.fail(Rule("GET", "/a", nth=1), Fault(status=503))
...     try:
...         urllib.request.urlopen(f"{proxy.url}/a")
...     except urllib.error.HTTPError as error:
...         error.code, error.close()
...     urllib.request.urlopen(f"{proxy.url}/a").read()
...     [(request.method, request.path, request.status) for request in proxy.log]
(503, None)
b'12345'
[('GET', '/a', 503), ('GET', '/a', 200)]
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

Reply = tuple[int, list[tuple[str, str]], bytes]
HOP = {"connection", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True)
class Request:
    """One request and what was answered; 0 stands for no answer."""

    method: str
    path: str
    status: int
    conditional: bool = False


@dataclass(frozen=True)
class Rule:
    """Which requests go wrong: of a method, to paths that a regular expression finds, from the nth on, so many."""

    method: str = ""
    path: str = ""
    nth: int = 1
    times: int | None = 1

    def meets(self, method: str, path: str) -> bool:
        """Say whether the rule is about a request."""
        return self.method in ("", method) and re.search(self.path, path) is not None

    def hits(self, count: int) -> bool:
        """Say whether the rule is about the request of this number."""
        return count >= self.nth and (self.times is None or count < self.nth + self.times)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request.

    Parameters
    ----------
    status
        Answer with this status. The request is not handed on, unless `landed`.
    landed
        Hand the request on, and then answer with `status`, or not at all.
    silent
        Drop the connection without an answer.
    truncated
        Announce the whole body of the answer, send half of it, drop the connection.
    delay_s
        Wait before anything else.
    act
        Called before anything else but the delay: to kill a process, for example.
    """

    status: int | None = None
    landed: bool = False
    silent: bool = False
    truncated: bool = False
    delay_s: float = 0
    act: Callable[[], object] | None = None


@dataclass
class Proxy:
    """A running proxy."""

    url: str
    behind: str
    log: list[Request] = field(default_factory=list)
    _faults: list[tuple[Rule, Fault]] = field(default_factory=list)
    _counts: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, rule: Rule, fault: Fault) -> None:
        """Let requests go wrong from now on."""
        with self._lock:
            self._faults.append((rule, fault))
            self._counts.append(0)

    def heal(self) -> None:
        """Forget all faults, and the log."""
        with self._lock:
            self._faults.clear()
            self._counts.clear()
            self.log.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Count a request, and give what is to go wrong with it."""
        found = None
        with self._lock:
            for i, (rule, fault) in enumerate(self._faults):
                if rule.meets(method, path):
                    self._counts[i] += 1
                    found = found or (fault if rule.hits(self._counts[i]) else None)
        return found

    def record(self, request: Request) -> None:
        """Log a request."""
        with self._lock:
            self.log.append(request)

    def written(self) -> list[str]:
        """List the paths that were written, in order, once for each time."""
        return [request.path for request in self.log if request.method == "PUT" and request.status == 200]


@contextmanager
def proxied(behind: str) -> Iterator[Proxy]:
    """Run a proxy in front of a server until the context ends."""
    httpd = _Server(("127.0.0.1", 0), _Handler)
    proxy = Proxy(f"http://127.0.0.1:{httpd.server_port}", behind)
    httpd.proxy = proxy
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that were killed leave broken connections; they are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        self.onward: http.client.HTTPConnection | None = getattr(self, "onward", None)
        with suppress(ConnectionError):
            super().handle_one_request()
            return
        self.close_connection = True

    def do_any(self) -> None:
        proxy, path = self.server.proxy, unquote(urlsplit(self.path).path)
        fault = proxy.fault_for(self.command, path) or Fault()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(fault.delay_s)
        if fault.act:
            fault.act()
        reply = self._handed_on(body) if fault.landed or not (fault.status or fault.silent) else None
        self._answer(path, fault, (fault.status, [], b"") if fault.status else reply)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal quiet; `Proxy.log` has it all."""

    def _handed_on(self, body: bytes) -> Reply:
        """Ask the server behind, with the headers as they came."""
        if self.onward is None:
            self.onward = http.client.HTTPConnection(urlsplit(self.server.proxy.behind).netloc)
            self.onward.connect()
            self.onward.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                self.onward.putheader(name, value)
        self.onward.endheaders(body or None)
        answer = self.onward.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def _answer(self, path: str, fault: Fault, reply: Reply | None) -> None:
        status, headers, body = reply or (0, [], b"")
        conditional = any(name in self.headers for name in ("If-Match", "If-None-Match"))
        self.server.proxy.record(Request(self.command, path, 0 if fault.silent else status, conditional))
        if fault.silent:
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {*HOP, "content-length"}:
                self.send_header(name, value)
        told = dict((name.lower(), value) for name, value in headers).get("content-length")
        if status not in (204, 304):
            self.send_header("Content-Length", told if self.command == "HEAD" and told else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if fault.truncated else body)
        self.close_connection = self.close_connection or fault.truncated
