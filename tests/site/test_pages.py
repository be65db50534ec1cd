from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bakehouse.catalog.entry import Check, Status
from bakehouse.catalog.register import remove
from bakehouse.site.pages import CARDS
from tests.catalog.samples import HOSTILE, entry, stored
from tests.site.crowd import crowd
from tests.site.kit import PUBLISHED, Page, make, page, pages, shelve

ROOT = Path(__file__).resolve().parents[2]
LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "use": "href"}
SHOWN = "<script>alert(1)</script> 🍞"


def test_every_page_is_html_that_a_strict_parser_takes(site: Path) -> None:
    found = {str(each.path.relative_to(site)): len(list(each.elements("h1"))) for each in pages(site)}
    assert {"index.html", "datasets/hostile/all/index.html", "datasets/broken/one/index.html"} <= set(found)
    assert set(found.values()) == {1}


def test_every_relative_link_leads_to_a_file_and_every_fragment_to_an_element(site: Path) -> None:
    for each in pages(site):
        ids = [element.get("id") for element in each.elements() if element.get("id")]
        assert len(ids) == len(set(ids))
        for element in each.elements():
            for name in ("href", "src"):
                if (href := element.get(name)) is not None and (target := each.target(href)) is not None:
                    assert target.is_file() and target.is_relative_to(site.resolve()), (each.path, href)
            if element.tag == "a" and element.get("href", "").startswith("#") and not _in_template(each, element):
                assert element.get("href")[1:] in ids
            for name in ("aria-labelledby", "for", "aria-describedby"):
                assert set((element.get(name) or "").split()) <= set(ids)


def _in_template(each: Page, element: object) -> bool:
    return element.get("data-slot") is not None  # type: ignore[attr-defined]


def test_no_page_asks_another_host_or_runs_what_stands_in_it(site: Path) -> None:
    for each in pages(site):
        for element in each.elements():
            assert element.tag not in ("style", "iframe", "object", "embed", "base")
            assert [name for name in element.attrib if name.startswith("on") or name == "style"] == []
            assert "://" not in (element.get(LOADING.get(element.tag, "")) or "")
            if element.tag == "script":
                assert element.get("type") == "application/ld+json"
        (policy,) = [meta.get("content") for meta in each.elements("meta") if meta.get("http-equiv")]
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "script-src" not in policy


def test_style_sheets_load_nothing_from_elsewhere(site: Path) -> None:
    for sheet in (site / "assets").glob("*.css"):
        text = sheet.read_text("utf-8")
        assert "@import" not in text
        for place in re.findall(r"url\(([^)]*)\)", text):
            assert (sheet.parent / place.strip("\"'")).is_file(), place


def test_hostile_texts_are_shown_as_text(site: Path) -> None:
    shown = page(site, "datasets/hostile/all")
    text = shown.text()
    assert text.count(SHOWN) >= 8 and "{{7*7}}" in text and "49" not in text.split("{{7*7}}")[0][-5:]
    assert "\x00" not in text
    (data,) = [element.text for element in shown.elements("script")]
    assert json.loads(data)["name"] == HOSTILE[:300]
    for heading in [*shown.elements("h1"), *page(site, "").elements("h2")]:
        assert heading.get("dir") == "auto"


@pytest.mark.parametrize("text", ["x" * 100_000, "word " * 20_000, "\u202e" * 100_000, "<b>" * 33_000])
def test_texts_of_any_length_leave_the_home_page_small(tmp_path: Path, text: str) -> None:
    said = [text, *[text[:2000]] * 24]
    many = [entry(f"long/n{n}", title=each, description=each, tags=[each], license=each) for n, each in enumerate(said)]
    make(shelve(tmp_path / "catalog", many), tmp_path / "site")
    assert len(page(tmp_path / "site", "").path.read_bytes()) < 200_000
    assert len("".join(next(page(tmp_path / "site", "datasets/long/n0").elements("h1")).itertext())) <= 300


def test_a_broken_entry_gives_one_warning_and_a_page_that_says_so(catalog: Path, tmp_path: Path) -> None:
    built = make(catalog, tmp_path / "site")
    assert len(built.warnings) == 1 and built.warnings[0].startswith("broken/one.json: not a valid entry")
    assert built.entries == 5
    text = page(tmp_path / "site", "datasets/broken/one").text()
    assert "This entry can't be shown" in text and "CAT01" in text
    assert "broken/one" in page(tmp_path / "site", "status").text()


def test_an_entry_whose_page_can_not_be_written_is_one_too(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bakehouse.site import dataset

    real = dataset.report_url

    def fail(entry: object, content: object) -> str | None:
        if entry.id == "old/daily":  # type: ignore[attr-defined]
            raise ValueError("no such luck")
        return real(entry, content)  # type: ignore[arg-type]

    monkeypatch.setattr(dataset, "report_url", fail)
    built = make(catalog, tmp_path / "site")
    assert [warning for warning in built.warnings if "no such luck" in warning] == [
        "old/daily.json: its page can't be written: no such luck"
    ]
    assert "no such luck" in page(tmp_path / "site", "datasets/old/daily").text()
    assert "shaky/daily" in page(tmp_path / "site", "datasets/shaky/daily").text()


def test_a_page_says_all_that_its_entry_does(site: Path) -> None:
    text = " ".join(page(site, "datasets/oisst/daily").text().split())
    for said in (
        "live", "every value checked", "version v-2", "Met Office", "Handbook", "Looked after by Ada",
        "an attribute was dropped", "time 2000-01-02: a.nc was not there", "Read with xarray 2026.4 (opened)",
        "sea_surface_temperature", "daily", "10.1234/ab", "Office, M. (2020)", "v-1", "2024-05-01",
        "Since version v-1: time: 3 time steps added, 4 now", "The first version that this catalog knows",
        "A map of sst at one time is 1 request of", 'bakehouse.open(',
    ):  # fmt: skip
        assert said in text, said
    sources = [image.get("src") for image in page(site, "datasets/oisst/daily").elements("img")]
    assert [source.rpartition("/")[2] for source in sources] == ["thumbnail.png", "sst.map.png", "sst.series.png"]
    assert all(image.get("alt") is not None for each in pages(site) for image in each.elements("img"))


def test_states_are_said_and_a_successor_is_linked(site: Path) -> None:
    old = page(site, "datasets/old/daily")
    assert "Deprecated." in old.text()
    assert "../../../datasets/oisst/daily/index.html" in {link.get("href") for link in old.elements("a")}
    assert "a sensor drifts" in page(site, "datasets/shaky/daily").text()
    assert "Not checked: the store was not reached yet" in page(site, "datasets/far/away").text()


def test_cards_are_spread_over_pages_each_once_and_home_stays_small(tmp_path: Path) -> None:
    make(shelve(tmp_path / "catalog", crowd(60)), tmp_path / "site")
    numbered = [page(tmp_path / "site", each) for each in ("", "page/2", "page/3")]
    shown = [[card.get("data-id") for card in each.elements("li") if card.get("data-id")] for each in numbered]
    assert [len(ids) for ids in shown] == [CARDS, CARDS, 60 - 2 * CARDS]
    assert sorted(sum(shown, [])) == sorted(entry.id for entry in crowd(60))
    assert len(numbered[0].path.read_bytes()) < 200_000


def test_an_empty_catalog_has_pages_that_say_what_to_do(tmp_path: Path) -> None:
    make(tmp_path / "catalog", tmp_path / "site")
    assert "Nothing has been published yet" in page(tmp_path / "site", "").text()


@pytest.fixture
def status(tmp_path: Path) -> dict[str, tuple[str, set[str]]]:
    """Build a project's status page over entries of every kind and state; give the text and links of each line."""
    root = tmp_path / "project"
    schedules = {
        "oisst": "update: {schedule: weekly}\n",
        "later": "update: {schedule: '0 6 * * 1'}\n",
        "wrong": "odd: 1\n",
    }
    for name in ("oisst", "later", "wrong", "quiet"):
        (root / "feedstocks" / name).mkdir(parents=True)
        text = f"title: About {name}\nrecipes: [{{id: daily, object: 'recipe:recipe'}}]\n{schedules.get(name, '')}"
        (root / "feedstocks" / name / "meta.yaml").write_text(text, encoding="utf-8")
    (root / "meta.yaml").write_text("title: Ours\nbakeries: {local: {target: stores}}\n", encoding="utf-8")
    full = Check(level="full", checked_at=PUBLISHED)
    checked = {"check": full, "version": "v1", "published_at": PUBLISHED}
    stores = tmp_path / "stores"
    made = [
        stored("oisst/daily", stores / "a.zarr", kind="baked", **checked),
        stored("old/daily", stores / "b.zarr", kind="baked", **checked, status=Status(
            state="deprecated", reason="superseded", successor="oisst/daily")),
        stored("gone/daily", stores / "c.zarr", status=Status(state="deprecated", successor="never/was")),
        stored("shaky/daily", stores / "d.zarr", kind="virtual", **checked, status=Status(
            state="degraded", reason="a sensor drifts")),
        stored("theirs/daily", stores / "e.zarr", check=Check(level="reachable", checked_at=PUBLISHED)),
        entry("far/away"),
    ]  # fmt: skip
    catalog = shelve(tmp_path / "catalog", made)
    (catalog / "broken").mkdir()
    (catalog / "broken/one.json").write_text("{}", encoding="utf-8")
    make(catalog, tmp_path / "site", root=root)
    rows = [row for row in page(tmp_path / "site", "status").elements("tr")][1:]
    links = [{link.get("href") for link in row.iter("a")} for row in rows]
    texts = [" ".join(" ".join(row.itertext()).split()) for row in rows]
    return {text: found for text, found in zip(texts, links, strict=True)}


STATUS = [
    "broken/one broken/one not a valid entry broken – – –",
    "wrong wrong/wrong its meta.yaml can't be used broken – – –",
    "The title of shaky/daily shaky/daily virtual a sensor drifts degraded 2024-05-01 2024-05-01 (every value) "
    "not scheduled",
    "The title of far/away far/away linked live linked never by its producer",
    "The title of oisst/daily oisst/daily baked live 2024-05-01 2024-05-01 (every value) weekly, from 2024-05-06",
    "The title of theirs/daily theirs/daily linked live linked 2024-05-01 (opened only) by its producer",
    "The title of gone/daily gone/daily linked Use never/was instead. deprecated linked opened only –",
    "The title of old/daily old/daily baked superseded Use oisst/daily instead. deprecated 2024-05-01 "
    "2024-05-01 (every value) –",
    "About later later/daily not baked – – 0 6 * * 1 (cron)",
    "About quiet quiet/daily not baked – – not scheduled",
]


def test_the_status_page_says_of_each_dataset_what_it_is_and_what_needs_attention_first(
    status: dict[str, tuple[str, set[str]]],
) -> None:
    plain = [re.sub(r"(valid entry|be used)\b.*? broken", r"\1 broken", text) for text in status]
    assert plain == STATUS


def test_the_status_page_links_pages_that_are_there(status: dict[str, set[str]]) -> None:
    links = {text.partition(" instead")[0].split()[-1]: found for text, found in status.items() if "instead" in text}
    assert "../datasets/oisst/daily/index.html" in links["oisst/daily"]
    assert links["never/was"] == {"../datasets/gone/daily/index.html"}
    assert [text.split()[-1] for text, found in status.items() if not found] == ["–", "(cron)", "scheduled"]


def test_building_again_gives_the_same_bytes_and_removes_only_what_it_once_made(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    out = tmp_path / "site"
    make(catalog, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    make(catalog, out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (out / "CNAME").write_text("data.example.org", encoding="utf-8")
    remove(catalog, "old/daily")
    make(catalog, out)
    assert not (out / "datasets/old").exists() and (out / "CNAME").is_file()
    assert (out / "datasets/oisst/daily/index.html").is_file()


PAIRS = [
    ("ink", "paper"), ("ink", "panel"), ("ink", "code"), ("muted", "paper"), ("muted", "panel"), ("muted", "sunk"),
    ("muted", "code"), ("accent", "paper"), ("accent", "panel"), ("accent-ink", "accent"), ("crust", "panel"),
    ("accent-ink", "accent-strong"), ("good", "good-soft"), ("warn", "warn-soft"), ("bad", "bad-soft"),
    ("ink", "crust-soft"), ("ink", "warn-soft"), ("accent", "warn-soft"), ("crust", "crust-soft"), ("ink", "sunk"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_keep_the_contrast_that_wcag_asks_for(scheme: str) -> None:
    css = (ROOT / "src/bakehouse/site/static/site.css").read_text("utf-8")
    roots = re.findall(r":root {(.*?)}", css, re.DOTALL)
    blocks = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in roots]
    colours = blocks[0] if scheme == "light" else {**blocks[0], **blocks[1]}
    low = {pair: ratio for pair in PAIRS if (ratio := _contrast(colours[pair[0]], colours[pair[1]])) < 4.5}
    assert low == {}


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours in sRGB."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
