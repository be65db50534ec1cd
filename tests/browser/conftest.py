"""A site over stores of every kind, and a browser that reports what goes wrong on its pages."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import find
from tests.browser.shelf import Shelved, shelve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WEB = Path(__file__).parents[2] / "src/bakehouse/site/web"
SHOTS = Path(__file__).parents[2] / ".bakehouse/screenshots"
PATIENCE_MS = 60_000
"""What nobody waits for unless a test fails."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Site:
    """Where the site is served, and what lies in its stores."""

    url: str
    shelf: dict[str, Shelved]
    elsewhere: str

    def explore(self, id: str, query: str = "") -> str:
        """Give the address of an entry's explore page."""
        return f"{self.url}datasets/{id}/explore/{query}"


@dataclass
class Watched:
    """A page, what its console said, and which addresses it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


def until(page: Page, script: str) -> None:
    """Wait for an expression to hold; Playwright's own way evaluates text, which the pages' policy forbids."""
    eventually(page, lambda: page.evaluate(script), True)


def eventually(page: Page, read: Callable[[], Any], wanted: Any) -> None:
    """Wait until what is read is what is wanted: pages answer when they come to it, which on a slow machine is late."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while (got := read()) != wanted:
        assert time.monotonic() < deadline, f"in the end: {got!r}, not {wanted!r}"
        page.wait_for_timeout(50)


@contextmanager
def _serving(server: http.server.ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _NoOthers(http.server.SimpleHTTPRequestHandler):
    """Allows no other origin, as a bucket without CORS."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Build and serve a site over the shelf."""
    if not (WEB.parent / "bundle/explore.js").is_file():
        pytest.skip("the JavaScript is not bundled: make web")
    from bakehouse.catalog.register import register
    from bakehouse.site.build import build
    from bakehouse.site.content import gather
    from bakehouse.site.serve import server, shelves

    root = tmp_path_factory.mktemp("site")
    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), _NoOthers)) as elsewhere:
        shelf = shelve(root / "stores", elsewhere)
        for shelved in shelf.values():
            register(root / "catalog", shelved.entry)
        (root / "catalog/broken").mkdir()
        (root / "catalog/broken/one.json").write_text("{}", encoding="utf-8")
        content = gather([root / "catalog"], None)
        build(content, root / "site", run_s=0)
        with _serving(server(root / "site", shelves(content.entries), 0)) as url:
            yield Site(f"{url}/", shelf, elsewhere)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser of this machine."""
    chromium = find()
    if chromium is None:
        pytest.skip("no Chromium on this machine: make browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Watched]]:
    """Open pages; at the end none may have said an error, or asked another host than the site's own."""
    opened: list[tuple[Watched, bool]] = []

    def go(url: str = "", *, strict: bool = True, **context: Any) -> Watched:
        usual = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        page = browser.new_context(**{**usual, **context}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        watched = Watched(page)
        page.on(
            "console",
            lambda message: (
                watched.errors.append(f"{message.text} {message.location}") if message.type == "error" else None
            ),
        )
        page.on("pageerror", lambda error: watched.errors.append(str(error)))
        page.on("request", lambda request: watched.urls.append(request.url))
        page.goto(url if url.startswith("http") else site.url + url)
        page.evaluate("document.fonts.ready.then(() => true)")
        opened.append((watched, strict))
        return watched

    yield go
    for watched, strict in opened:
        watched.page.context.close()
        assert not (strict and watched.errors), watched.errors
        outside = [
            url
            for url in watched.urls
            if not url.startswith((site.url, "blob:", *([] if strict else [site.elsewhere])))
        ]
        assert not outside, outside
