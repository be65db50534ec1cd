"""BH0xx: the text of a meta.yaml itself."""

from __future__ import annotations

from collections.abc import Iterator

from bakehouse.meta.findings import Check, Example, Mark, Problem, Rule
from bakehouse.meta.subjects import Subject
from bakehouse.meta.surprises import surprise
from bakehouse.meta.yaml import MAX_ALIASED, MAX_BYTES, MAX_DEPTH

SCHEMA_LINE = "# yaml-language-server: $schema="

_BOMB = "tags: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"more_{name}: &{name} [{', '.join([f'*{inner}'] * 10)}]\n" for inner, name in zip("abcd", "bcde", strict=True)
)


def _surprises(code: str) -> Check:
    def check(subject: Subject) -> Iterator[Problem]:
        found = map(surprise, subject.document.values.values())
        return (problem for problem in found if problem and problem.code == code)

    return check


def _schema_line(subject: Subject) -> Iterator[Problem]:
    document = subject.document
    if subject.schema and document.text and not document.text.startswith(SCHEMA_LINE):
        fix = f"first line: {SCHEMA_LINE}{subject.schema}"
        yield Problem("BH012", Mark(document.file), "editors don't know this file's schema", fix)


RULES = (
    Rule(
        "BH001", "syntax", "lint", "read",
        title="The text is not YAML.",
        why="Nothing can be read from the file.",
        fix="correct the line; quote text with ': ' or a leading special character",
        bad=Example("title: Sea ice: north and south\n"),
        good=Example('title: "Sea ice: north and south"\n'),
    ),
    Rule(
        "BH002", "duplicate-key", "lint", "read",
        title="A key is given twice in one mapping.",
        why="YAML readers keep one of the two values, silently.",
        fix="remove one of them",
        bad=Example("title: Sea ice\ntitle: Sea level\n"),
        good=Example("title: Sea ice\n"),
    ),
    Rule(
        "BH003", "alias-bomb", "lint", "read",
        title="Aliases or nesting explode.",
        why=f"A small file could fill the memory: at most {MAX_ALIASED} values by alias, {MAX_DEPTH} levels deep.",
        fix="write the values out, or use fewer aliases",
        bad=Example(_BOMB),
        good=Example("tags: &tags [ocean, ice]\ncitation: *tags\n"),
    ),
    Rule(
        "BH004", "unsafe-tag", "lint", "read",
        title="A YAML tag other than plain text, numbers, booleans, dates, lists and mappings.",
        why="Tags can make readers run code, and other readers don't know them.",
        fix="remove the tag",
        bad=Example('citation: !!python/object/apply:os.system ["true"]\n'),
        good=Example("citation: Fetterer et al. (2017)\n"),
    ),
    Rule(
        "BH005", "not-utf8", "lint", "read",
        title="The file is not UTF-8.",
        why="Names with accents would be read differently on each machine.",
        fix="save the file as UTF-8",
        bad=Example(files={"meta.yaml": b"# yaml-language-server: $schema=x\ntitle: Gel\xe9e\n"}),
        good=Example("title: Gelée\n"),
    ),
    Rule(
        "BH006", "too-large", "lint", "read",
        title=f"The file is larger than {MAX_BYTES} bytes.",
        why="A meta.yaml describes a dataset; a list that long is slow to read and to review.",
        fix="give the inputs as a url with fields, or in a recipe.py",
        bad=Example(files={"meta.yaml": "#" * (MAX_BYTES + 1)}),
        good=Example("title: Sea ice\n"),
    ),
    Rule(
        "BH007", "bool-word", "lint", "file",
        title="A word such as NO, yes, on or off that YAML reads as a boolean.",
        why="Norway's country code becomes false. Other YAML readers take the same word as text.",
        fix="write true or false, or quote the word",
        bad=Example("tags: [SE, NO]\n"),
        good=Example("tags: [SE, 'NO']\n"),
        check=_surprises("BH007"),
    ),
    Rule(
        "BH008", "lost-zero", "lint", "file",
        title="A plain number that loses a zero, such as 1.10.",
        why="Version 1.10 becomes 1.1, which is another version.",
        fix="quote it if it is text, drop the zero if it is a number",
        bad=Example("pangeo_forge_version: 0.10\n"),
        good=Example("pangeo_forge_version: '0.10'\n"),
        check=_surprises("BH008"),
    ),
    Rule(
        "BH009", "odd-number", "lint", "file",
        title="A plain scalar that is read as another number: 12:30:45, 010, 1_000.",
        why="YAML 1.1 reads 12:30:45 in base sixty as 45045, and 010 in base eight as 8; other readers don't.",
        fix="quote it if it is text, write the plain number if it is one",
        bad=Example("citation: {time: 12:30:45}\n"),
        good=Example("citation: {time: '12:30:45'}\n"),
        check=_surprises("BH009"),
    ),
    Rule(
        "BH010", "not-a-mapping", "lint", "read",
        title="The file holds no keys and values.",
        why="An empty file, a list or a text says nothing about a dataset.",
        fix="start with: title: …",
        bad=Example(f"{SCHEMA_LINE}../../schemas/feedstock.schema.json\n- title: Sea ice\n", whole=True),
        good=Example("title: Sea ice\n"),
    ),
    Rule(
        "BH011", "unreadable", "lint", "read",
        title="There is no readable meta.yaml.",
        why="A folder without meta.yaml is no feedstock.",
        fix="add a meta.yaml",
        bad=Example(files={"meta.yaml/README": "a folder, not a file"}),
        good=Example("title: Sea ice\n"),
    ),
    Rule(
        "BH012", "schema-line", "hint", "file",
        title="The first line does not name the schema.",
        why="With it, editors complete keys and mark mistakes while you type.",
        fix=f"first line: {SCHEMA_LINE}../../schemas/feedstock.schema.json",
        bad=Example("# A feedstock about sea ice\n"),
        good=Example("title: Sea ice\n"),
        check=_schema_line,
    ),
)  # fmt: skip
