"""BH31x: addresses and secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bakehouse.meta.document import Document, Loc
from bakehouse.meta.findings import Example, Mark, Problem, Rule
from bakehouse.meta.subjects import Subject, read_module
from bakehouse.meta.urls import SCHEMES, WEB, is_plain_http, path_escapes, url_problem

_WEB_KEYS = ("url", "thumbnail", "catalog_url", "source_url", "meta_yaml_url", "ncviewjs:meta_yaml_url")
_WEB_PARENTS = ("provenance", "links", "thumbnail", "url", "catalog_url", "meta_yaml_url", "ncviewjs:meta_yaml_url")
_SECRET_KEY = re.compile(
    r"(.*[_-])?(password|passwd|secret|token|credentials?|(api|access|private|account|sas)[_-]?(key|token)([_-]id)?)",
    re.IGNORECASE,
)
_OPTION_KEY = re.compile(r"key|secret", re.IGNORECASE)
_NO_SECRETS = ("", "anon", "cloud", "google_default", "browser", "cache")
_SECRET = re.compile(
    r"(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{20,}|AIza[\w-]{35}|xox[abp]-[\w-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@'\"{}]+:[^/\s@'\"{}]+@|[?&](X-Amz-Signature|sig|access_token|api_key)=[\w%]{8,}"
)


def _addresses(subject: Subject) -> Iterator[Problem]:
    document = subject.document
    for loc, text in document.texts():
        if schemes := _schemes(loc):
            problem = None if path_escapes(text) else url_problem(text, schemes)
            if problem:
                yield Problem("BH311", document.mark(loc), problem)


def _schemes(loc: Loc) -> tuple[str, ...]:
    if loc and loc[0] == "stores" and loc[-1] == "url":
        return SCHEMES
    return WEB if loc and loc[0] in _WEB_PARENTS and loc[-1] in _WEB_KEYS else ()


def _plain_http(subject: Subject) -> Iterator[Problem]:
    document = subject.document
    for loc, text in document.texts():
        if is_plain_http(text) and (loc[-1:] in (("url",), *((key,) for key in _WEB_KEYS)) or "files" in loc):
            yield Problem("BH312", document.mark(loc), f"'{text[:60]}' is read without encryption")


def _secrets(subject: Subject) -> Iterator[Problem]:
    document = subject.document
    yield from _secret_keys(document)
    yield from _secret_values(document.file, document.text)
    for file in subject.module_files():
        yield from _secret_values(file, read_module(file).text)


def _secret_keys(document: Document) -> Iterator[Problem]:
    for loc, text in document.texts():
        key = str(loc[-1]) if loc else ""
        in_options = any(str(step).endswith(("options", "kwargs")) for step in loc[:-1])
        if not _SECRET_KEY.fullmatch(key) and not (in_options and _OPTION_KEY.fullmatch(key)):
            continue
        if text not in _NO_SECRETS and not text.startswith("$"):
            yield Problem("BH313", document.mark(loc), f"'{key}' looks like a credential")


def _secret_values(file: Path, text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        for found in _SECRET.finditer(line):
            start = found.group()[:4]
            yield Problem("BH313", Mark(file, number, found.start() + 1), f"'{start}…' looks like a credential")


RULES = (
    Rule(
        "BH311", "address", "lint", "file",
        title="Text that is not an address, or one that not everybody can read.",
        why="A link that leads nowhere is worse than none.",
        fix="write a full URL, such as https://example.org/data",
        bad=Example("links: [{label: Home, url: 'htps://example.org'}]\n"),
        good=Example("links: [{label: Home, url: 'https://example.org'}]\n"),
        check=_addresses,
    ),
    Rule(
        "BH312", "plain-http", "hint", "file",
        title="An http:// address.",
        why="What is read without encryption can be changed on its way.",
        fix="see if https:// works",
        bad=Example("links: [{label: Home, url: 'http://example.org'}]\n"),
        good=Example("links: [{label: Home, url: 'https://example.org'}]\n"),
        check=_plain_http,
    ),
    Rule(
        "BH313", "secret", "lint", "file",
        title="Something that looks like a credential.",
        why="Whatever is committed is published, and stays in the history.",
        fix="revoke it, remove it, and let the runner's environment provide it",
        bad=Example("contact: {api_key: 0123456789abcdef}\n"),
        good=Example("contact: {api_key: $DATA_API_KEY}\n"),
        check=_secrets,
    ),
)  # fmt: skip
