"""Whatever strangers write, it is shown and does nothing: in outputs, in annotations and in Markdown."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bakehouse.github import annotations, markdown, outputs
from bakehouse.github.plain import plain

TOKENS = [
    "<script>alert(1)</script>", "@everyone", "@bakers/team", "#1", "a/b#2", "GH-3", "](javascript:alert(1))",
    "![x](https://e.org/x.png)", "https://example.org", "www.example.org", "me@example.org", "`", "```",
    "````\n", "~~~", "|", "\n", "\r", "\r\n", "\n\n# h", "\n- [ ] x", "<!--", "-->", "&lt;", "&#64;", "&nbsp;",
    "\\", "$$x$$", ":tada:", "\u202e", "\u2066", "\x00", "\x1b[31m", "\u2028", "\ufeff", "\ud800",
    "::set-output name=a::b", "##[add-mask]x", "%0A", ",line=9", "::error::", "</details>",
    "<img src=x onerror=y>", "[a]: https://e.org", "0123456789abcdef0123456789abcdef01234567", "*b*", "_i_",
    "~~s~~", "[^1]", "> [!NOTE]", "    code", "\t", "1. x", "+ x", "===", "---", "javascript&colon;alert(1)",
    "data:text/html,x", "ftp://e.org", "mailto:a@b.org", "e\u0301", "🥐", "end-0", "name<<x",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(TOKENS) | st.text(max_size=8), max_size=12).map("".join)


class Page(HTMLParser):
    """What a browser would make of a page: its elements with attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.outside_code = ""
        self._in_code = 0
        self.comments: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._in_code += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        self.text += data
        if not self._in_code:
            self.outside_code += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def by_github(source: str) -> Page:
    """Render with GitHub's fork of cmark, its extensions on, raw HTML let through."""
    return Page(cmarkgfm.github_flavored_markdown_to_html(source, cmarkgfm.Options.CMARK_OPT_UNSAFE))


def by_markdown_it(source: str) -> Page:
    return Page(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source))


RENDERERS = pytest.mark.parametrize("render", [by_markdown_it, by_github])
# GitHub's own filters run over the text of the rendered page; these are what they look for.
MENTION = re.compile(r"(?:^|\W)@[a-z0-9][a-z0-9-]*", re.I | re.A)
REFERENCE = re.compile(r"#\d|\bgh-\d|\b[0-9a-f]{7,40}\b|:[a-z0-9_+-]+:|://\S|\bwww\.|\$[^\s\u200b]", re.I | re.A)


def shown(text: str) -> str:
    return " ".join(text.replace(markdown.GAP, "").split())


def expected(value: str, limit: int = 500) -> str:
    return " ".join(plain(value, limit).split())


@RENDERERS
@given(HOSTILE)
@example("@everyone <script>x</script>](javascript:y) #1 GH-1 www.a.org a@b.org")
def test_text_is_shown_letter_by_letter_and_is_nothing_else(render: object, value: str) -> None:
    page = render("before " + markdown.text(value) + " after")  # type: ignore[operator]
    assert (page.tags, page.attributes, page.comments) == (["p"], [], [])
    assert shown(page.text) == shown(f"before {expected(value)} after")
    assert not MENTION.search(page.text) and not REFERENCE.search(page.text)


@RENDERERS
@given(HOSTILE)
def test_text_alone_in_a_paragraph_starts_no_block(render: object, value: str) -> None:
    page = render(markdown.text(value))  # type: ignore[operator]
    assert set(page.tags) <= {"p"} and shown(page.text) == expected(value)


@RENDERERS
@given(HOSTILE)
def test_a_block_of_code_holds_all_of_its_text(render: object, value: str) -> None:
    page = render("before\n\n" + markdown.code(value, "text", 2000) + "\n\nafter")  # type: ignore[operator]
    assert page.tags == ["p", "pre", "code", "p"] and page.outside_code.split() == ["before", "after"]
    assert page.text.split() == ["before", *plain(value, 2000, lines=True).split(), "after"]


@RENDERERS
@given(HOSTILE)
def test_code_in_a_line_holds_all_of_its_text(render: object, value: str) -> None:
    page = render("x " + markdown.span(value) + " x")  # type: ignore[operator]
    assert page.tags == ["p", "code"] and page.outside_code.split() == ["x", "x"]
    assert page.text.split() == ["x", *expected(value).split(), "x"]


@RENDERERS
@given(st.lists(HOSTILE, min_size=2, max_size=2))
def test_a_table_keeps_its_cells(render: object, values: list[str]) -> None:
    one, two = values
    rows = [[markdown.text(one), markdown.span(two)], [markdown.span(one), markdown.text(two)]]
    page = render(markdown.table(["a", "b"], rows))  # type: ignore[operator]
    assert page.tags.count("td") == 4 and page.tags.count("tr") == 3
    assert set(page.tags) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert not MENTION.search(page.outside_code)


@RENDERERS
@given(HOSTILE, HOSTILE)
def test_a_link_leads_to_an_https_address_or_nowhere(render: object, label: str, url: str) -> None:
    for address in (url, f"https://example.org/{url}"):
        page = render("x " + markdown.link(label, address) + " x")  # type: ignore[operator]
        assert page.tags in (["p"], ["p", "a"]) and shown(page.text) == shown(f"x {expected(label)} x")
        assert all(name == "href" and str(to).startswith("https://") for name, to in page.attributes)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "http://example.org", "//example.org", "https://", "https://u:p@e.org", "https://e.org/ a",
     "https://e.org/\u202e", "HTTPS:e.org", "https://e.org:x/", "https://é.org/", "https://e.org\n", "https://[::1]/"],
)  # fmt: skip
def test_addresses_that_are_not_plain_https_are_no_links(url: str) -> None:
    assert markdown.link("label", url) == "label"


@given(HOSTILE, st.integers(1, 60))
def test_plain_text_has_nothing_hidden_and_its_length(value: str, limit: int) -> None:
    found = plain(value, limit)
    assert len(found) <= limit and not any(unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" for c in found)


def test_marks_heaped_on_a_letter_are_thinned_out() -> None:
    assert plain("a" + "\u0301" * 400 + "b", 500) == "a" + "\u0301" * 4 + "b"


def test_parts_that_are_too_long_are_left_out_whole() -> None:
    found = markdown.joined(["short", markdown.code("x" * 900, limit=1000), "more"], 300)
    assert found.startswith("short") and "x" not in found.split("\n")[0] and "left out" in found and "```" not in found


@given(HOSTILE, HOSTILE, HOSTILE)
def test_an_annotation_is_one_command_with_its_own_properties(path: str, title: str, message: str) -> None:
    found = annotations.line("error", path, 3, 1, title, message)
    assert found.splitlines() == [found]
    properties, _, said = found.removeprefix("::error ").partition("::")
    read = dict(each.split("=", 1) for each in properties.split(","))
    assert list(read) == ["file", "line", "col", "title"] and (read["line"], read["col"]) == ("3", "1")
    assert unescaped(read["title"]) == plain(title, 200).replace("##[", "## [")
    assert unescaped(said) == plain(message, 2000, lines=True).replace("##[", "## [") and "##[" not in found


def unescaped(text: str) -> str:
    """Read a command as the runner does."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


@given(HOSTILE)
def test_what_another_program_printed_is_no_command(value: str) -> None:
    found = annotations.quoted(value)
    assert all(line.startswith("| ") for line in re.split(r"[\r\n\x0b\x0c\x85\u2028\u2029]", found))
    assert "##[" not in found


@given(st.lists(st.tuples(st.sampled_from(["run", "sha", "feedstocks"]), HOSTILE), max_size=4))
def test_outputs_read_back_as_they_were_given(values: list[tuple[str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "output")
        file.touch()
        for name, value in values:
            outputs.write(name, value, {"GITHUB_OUTPUT": str(file)})
        assert as_runner(file.read_bytes().decode()) == [(n, plain(v, 10**5, lines=True)) for n, v in values]


def as_runner(text: str) -> list[tuple[str, str]]:
    """Read outputs as the runner does: NAME<<END, lines, END; or NAME=VALUE."""
    found, lines = [], iter(text.split("\n")[:-1])
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            found.append((line[:equals], line[equals + 1 :]))
            continue
        name, end = line.split("<<", 1)
        value: list[str] = []
        while (each := next(lines)) != end:
            value.append(each)
        found.append((name, "\n".join(value)))
    return found


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "a<<b", "1a", "x" * 101])
def test_an_output_has_a_plain_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't name"):
        outputs.write(name, "x", {"GITHUB_OUTPUT": str(tmp_path / "output")})


def test_an_output_that_is_too_long_or_no_json_is_refused(tmp_path: Path) -> None:
    for value in ("x" * 100_001, float("nan")):
        with pytest.raises(ValueError):
            outputs.write("a", value, {"GITHUB_OUTPUT": str(tmp_path / "output")})


def test_a_summary_that_is_too_long_is_replaced_by_a_word(tmp_path: Path) -> None:
    environment = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    outputs.summary("one", environment)
    outputs.summary("x" * 10**6, environment)
    assert (tmp_path / "summary").read_text() == "one\nThis summary is too long to be shown.\n"


def test_outside_of_a_job_nothing_is_written() -> None:
    outputs.write("a", "b", {})
    outputs.summary("a", {})
