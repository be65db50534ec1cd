"""BH30x: who made the data, what may be done with them, who looks after them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bakehouse.errors import did_you_mean
from bakehouse.meta.findings import Example, Problem, Rule
from bakehouse.meta.models import ROLES
from bakehouse.meta.spdx import NO_SPDX, deprecated_ids, normalized, unknown_ids
from bakehouse.meta.subjects import FeedstockSubject

_LICENSE = ("provenance", "license")
_GITHUB = re.compile(r"[A-Za-z\d](-?[A-Za-z\d]){0,38}", re.ASCII)
_ORCID = re.compile(r"(\d{4}-){3}\d{3}[\dX]", re.ASCII)
_SOUND = "provenance:\n  providers: [{name: Met Office, roles: [producer], url: 'https://www.metoffice.gov.uk'}]\n"


def _missing(subject: FeedstockSubject) -> Iterator[Problem]:
    document, defaults = subject.document, subject.defaults
    given = {
        "title": document.get("title"),
        "maintainers": document.get("maintainers") or defaults.maintainers,
        "provenance.license": document.get(*_LICENSE) or defaults.license,
    }
    if not isinstance(document.data, dict):
        return
    for name in [name for name, value in given.items() if value in (None, "", [], ())]:
        yield Problem("BH301", document.mark(tuple(name.split("."))), f"no {name}", f"add {name.rpartition('.')[2]}: …")


def _undescribed(subject: FeedstockSubject) -> Iterator[Problem]:
    document = subject.document
    for name in (("description",), ("provenance", "providers")) if isinstance(document.data, dict) else ():
        if not document.get(*name):
            yield Problem("BH302", document.mark(name), f"no {'.'.join(name)}", f"add {name[-1]}: …")


def _license(subject: FeedstockSubject) -> str | None:
    text = subject.document.get(*_LICENSE)
    return text if isinstance(text, str) and text and text not in NO_SPDX else None


def _unknown_license(subject: FeedstockSubject) -> Iterator[Problem]:
    text = _license(subject)
    if text and normalized(text) is None:
        wrong, fix = unknown_ids(text)
        yield Problem("BH303", subject.document.mark(_LICENSE), f"unknown licence {wrong!r}", fix)


def _deprecated_license(subject: FeedstockSubject) -> Iterator[Problem]:
    for name, fix in deprecated_ids(_license(subject) or ""):
        yield Problem("BH304", subject.document.mark(_LICENSE), f"SPDX has deprecated the licence id '{name}'", fix)


def _license_spelling(subject: FeedstockSubject) -> Iterator[Problem]:
    text = _license(subject)
    usual = normalized(text) if text else None
    if usual and usual != text:
        yield Problem("BH305", subject.document.mark(_LICENSE), f"SPDX spells '{text}' as '{usual}'", f"write {usual}")


def _unlinked_license(subject: FeedstockSubject) -> Iterator[Problem]:
    document = subject.document
    if document.get(*_LICENSE) in NO_SPDX and not document.get("provenance", "license_link", "url"):
        name = document.get(*_LICENSE)
        yield Problem("BH306", document.mark(_LICENSE), f"licence '{name}' does not say what may be done with the data")


def _roles(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, provider in subject.document.mappings("provenance", "providers"):
        roles = provider.get("roles")
        for i, role in enumerate(roles if isinstance(roles, list) else []):
            if isinstance(role, str) and role not in ROLES:
                mark = subject.document.mark((*loc, "roles", i))
                yield Problem("BH307", mark, f"unknown role '{role}'", did_you_mean(role, ROLES))


def _orcids(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, maintainer in subject.document.mappings("maintainers"):
        orcid, mark = maintainer.get("orcid"), subject.document.mark((*loc, "orcid"))
        if isinstance(orcid, str) and not _ORCID.fullmatch(orcid):
            yield Problem("BH308", mark, f"'{orcid}' is not of the form 0000-0002-1825-0097")
        elif isinstance(orcid, str) and orcid[-1] != (digit := orcid_check_digit(orcid)):
            yield Problem("BH308", mark, f"'{orcid}' is no ORCID iD: its last character would be {digit}")


def orcid_check_digit(orcid: str) -> str:
    """Compute the last character of an ORCID iD (ISO 7064, MOD 11-2).

    Examples
    --------
    >>> orcid_check_digit("0000-0002-1825-0097"), orcid_check_digit("0000-0002-1694-233X")
    ('7', 'X')
    """
    total = 0
    for digit in orcid.replace("-", "")[:15]:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)


def _github(subject: FeedstockSubject) -> Iterator[Problem]:
    for loc, maintainer in subject.document.mappings("maintainers"):
        name = maintainer.get("github")
        if isinstance(name, str) and not (len(name) < 40 and _GITHUB.fullmatch(name)):
            plain = name.strip("/@ ").rpartition("/")[2]
            fix = f"write {plain}" if _GITHUB.fullmatch(plain) else None
            yield Problem("BH309", subject.document.mark((*loc, "github")), f"'{name}' is no GitHub user name", fix)


def _person(key: str, value: str) -> Example:
    return Example(f"maintainers: [{{name: Josiah Carberry, {key}: {value}}}]\n")


RULES = (
    Rule(
        "BH301", "missing-about", "lint", "feedstock",
        title="No title, licence or maintainers.",
        why="A reader must know what a dataset is, what it may be used for and whom to ask. Project defaults count.",
        fix="add it",
        bad=Example("maintainers: []\n"),
        good=_person("github", "josiah"),
        check=_missing,
    ),
    Rule(
        "BH302", "undescribed", "hint", "feedstock",
        title="No description or no providers.",
        why="They are what people search for, and how those who made the data get credit.",
        fix="add them",
        bad=Example("description:\n"),
        good=Example("description: Monthly sea ice extent of both hemispheres.\n"),
        check=_undescribed,
    ),
    Rule(
        "BH303", "unknown-license", "lint", "feedstock",
        title="A licence that SPDX does not know.",
        why="Programs that look for open data compare SPDX identifiers.",
        fix="use an SPDX identifier (https://spdx.org/licenses), or 'other' with a license_link",
        bad=Example(f"{_SOUND}  license: CC-BY-4\n"),
        good=Example(f"{_SOUND}  license: CC-BY-4.0\n"),
        check=_unknown_license,
    ),
    Rule(
        "BH304", "deprecated-license", "hint", "feedstock",
        title="A licence identifier that SPDX has deprecated.",
        why="Its successor says more exactly what is meant.",
        fix="use its successor",
        bad=Example(f"{_SOUND}  license: GPL-3.0\n"),
        good=Example(f"{_SOUND}  license: GPL-3.0-or-later\n"),
        check=_deprecated_license,
    ),
    Rule(
        "BH305", "license-spelling", "hint", "feedstock",
        title="A licence identifier in unusual spelling.",
        why="Some programs compare identifiers letter by letter.",
        fix="write it as SPDX does",
        bad=Example(f"{_SOUND}  license: cc-by-4.0\n"),
        good=Example(f"{_SOUND}  license: CC-BY-4.0\n"),
        check=_license_spelling,
    ),
    Rule(
        "BH306", "unlinked-license", "hint", "feedstock",
        title="'proprietary' or 'other' without a license_link.",
        why="Nobody can tell what may be done with the data.",
        fix="add license_link: {title: …, url: …}",
        bad=Example(f"{_SOUND}  license: other\n"),
        good=Example(f"{_SOUND}  license: other\n  license_link: {{title: Terms, url: 'https://example.org/terms'}}\n"),
        check=_unlinked_license,
    ),
    Rule(
        "BH307", "unknown-role", "lint", "feedstock",
        title="A provider's role that STAC does not know.",
        why="The catalog is STAC: producer, licensor, processor and host are its roles.",
        fix="use producer, licensor, processor or host",
        bad=Example("provenance:\n  providers: [{name: Met Office, roles: [producers]}]\n  license: MIT\n"),
        good=Example("provenance:\n  providers: [{name: Met Office, roles: [producer]}]\n  license: MIT\n"),
        check=_roles,
    ),
    Rule(
        "BH308", "orcid", "lint", "feedstock",
        title="An ORCID iD that can't be one.",
        why="Its last character is a checksum: with a digit mistyped, credit goes to nobody.",
        fix="copy it from https://orcid.org",
        bad=_person("orcid", "0000-0002-1825-0079"),
        good=_person("orcid", "0000-0002-1825-0097"),
        check=_orcids,
    ),
    Rule(
        "BH309", "github-name", "lint", "feedstock",
        title="A GitHub user name that can't be one.",
        why="Maintainers are mentioned by it when a bake fails.",
        fix="write the name alone, without @ or address",
        bad=_person("github", "'@josiah'"),
        good=_person("github", "josiah"),
        check=_github,
    ),
)  # fmt: skip
