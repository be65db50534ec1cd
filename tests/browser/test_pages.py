"""Search, tabs, copying, and what every page has to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import SHOTS, WEB, Site, Watched, eventually, until
from tests.catalog.samples import HOSTILE

pytestmark = pytest.mark.xdist_group("browser")

Visit = Callable[..., Watched]
PAGES = {
    "home": "",
    "dataset": "datasets/packed/shards/",
    "explore": "datasets/curved/grid/explore/?point=-15,179",
    "about": "about/",
    "contribute": "contribute/",
    "request": "request/",
    "status": "status/",
    "polar": "datasets/polar/plane/explore/",
    "broken": "datasets/broken/one/",
}


def titles(page: Any) -> list[str]:
    """List the cards; what lies outside the window is not laid out, and has no inner text."""
    return [text.strip() for text in page.locator("#cards [data-slot=title]").all_text_contents()]


def loaded(watched: Watched) -> Any:
    """Wait until the search has its index."""
    watched.page.wait_for_selector("#search[data-ready]", state="attached")
    return watched.page


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("curved", ["The curved grid"]),
        ("precipitation flux", ["The huge grid"]),
        ("tos", ["The curved grid"]),
        ("kg m-2", ["The huge grid"]),
        ("rotatd", ["The rotated grid"]),
        ("nothing of this kind", []),
    ],
)
def test_words_find_titles_variables_standard_names_and_units(visit: Visit, words: str, found: list[str]) -> None:
    page = loaded(visit())
    page.fill("#search input[name=q]", words)
    eventually(page, lambda: titles(page), found)


def test_facets_box_and_period_narrow_and_the_address_goes_back(visit: Visit) -> None:
    page = loaded(visit())
    everything = titles(page)
    page.locator("fieldset[data-facet=format] input").first.check()
    until(page, "location.search.includes('format=')")
    narrowed = titles(page)
    assert 0 < len(narrowed) < len(everything)
    page.fill("#search input[name=bbox]", "170, -20, 175, -10")
    page.press("#search input[name=bbox]", "Enter")
    until(page, "location.search.includes('bbox=170,-20,175,-10')")
    page.reload()
    loaded(Watched(page))
    assert page.input_value("#search input[name=bbox]") == "170, -20, 175, -10"
    page.go_back()
    until(page, "!location.search.includes('bbox')")
    eventually(page, lambda: titles(page), narrowed)
    page.goto(page.url.split("?")[0] + "?from=2003")
    loaded(Watched(page))
    eventually(page, lambda: titles(page), ["The huge grid"])


def test_a_box_is_drawn_on_the_map(visit: Visit) -> None:
    page = loaded(visit())
    page.locator("svg.picker").scroll_into_view_if_needed()
    box = page.locator("svg.picker").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    page.mouse.up()
    west, south, east, north = (float(part) for part in page.input_value("#search input[name=bbox]").split(","))
    assert (west, south, east, north) == pytest.approx((0, 0, 90, 45), abs=3)


def test_hostile_text_is_text(visit: Visit) -> None:
    page = loaded(visit())
    page.fill("#search input[name=q]", "alert")
    until(page, "document.querySelectorAll('#cards .card').length === 1")
    assert "<script>alert(1)</script>" in page.text_content("#cards")
    assert HOSTILE[:8] == "<script>"
    page = visit("datasets/hostile/shards/explore/").page
    page.wait_for_selector("#explore[data-state=ready]")
    assert "<script>alert(1)</script>" in page.inner_text("h1")


def test_tabs_work_by_keyboard_and_snippets_are_copied(visit: Visit) -> None:
    page = visit("datasets/packed/shards/", permissions=["clipboard-read", "clipboard-write"]).page
    tabs = page.locator("[role=tablist]").first.locator("[role=tab]")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    assert tabs.nth(1).get_attribute("aria-selected") == "true"
    assert page.evaluate("document.activeElement.textContent") == tabs.nth(1).inner_text()
    page.keyboard.press("End")
    assert tabs.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("Home")
    panel = page.locator(f"#{tabs.first.get_attribute('aria-controls')}")
    snippet = panel.locator("pre.snippet").last
    panel.locator("[data-copy]").last.click()
    page.wait_for_selector("[data-copy].done")
    assert page.evaluate("navigator.clipboard.readText()").strip() == snippet.inner_text().strip()


WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]


@pytest.mark.parametrize(
    ("name", "scheme", "viewport"),
    [(name, *look) for name in PAGES for look in LOOKS if look[1] is WIDE or name in ("home", "dataset", "explore")],
)
def test_every_kind_of_page_is_accessible(visit: Visit, name: str, scheme: Any, viewport: Any) -> None:
    page = visit(PAGES[name], color_scheme=scheme, viewport=viewport, bypass_csp=True).page
    if name == "home":
        loaded(Watched(page))
    if name == "explore":
        page.wait_for_selector("#series[data-state=ready]")
    if name == "polar":
        page.wait_for_selector("#explore[data-state=ready]")
    page.wait_for_load_state("networkidle")
    page.add_script_tag(path=str(WEB / "node_modules/axe-core/axe.min.js"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", ["home", "dataset", "explore"])
def test_pages_fit_their_width(site: Site, visit: Visit, name: str, width: int) -> None:
    page = visit(PAGES[name], viewport={"width": width, "height": 900}).page
    if name == "explore":
        page.wait_for_selector("#series[data-state=ready]")
    page.wait_for_load_state("networkidle")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
