"""Providers, licence and maintainers as the catalog needs them: STAC's roles, SPDX, plain names and ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bakehouse.errors import did_you_mean
from bakehouse.feedstock.native.licences import UNSAID, spdx_of
from bakehouse.feedstock.native.notes import About, line, listed, prose, shown, web
from bakehouse.meta.models import ROLES
from bakehouse.meta.rules.about import orcid_check_digit

_ROLES: Mapping[str, str | None] = {
    **dict.fromkeys(("author", "authors", "creator", "originator", "data producer", "owner"), "producer"),
    **dict.fromkeys(("data provider", "provider", "distributor", "publisher", "data host", "archive"), "host"),
    **dict.fromkeys(("licenser", "licensee", "copyright holder"), "licensor"),
}
_GITHUB = re.compile(r"[A-Za-z\d](-?[A-Za-z\d]){0,38}", re.ASCII)
_ORCID = re.compile(r"(\d{4}-?){3}\d{3}[\dXx]")


def provenance(about: About, given: Any) -> dict[str, Any]:
    """Mend who made the data and what may be done with them."""
    given = given if isinstance(given, dict) else {}
    providers = [_provider(about, each) for each in listed(given.get("providers")) if isinstance(each, dict)]
    link = given.get("license_link") if isinstance(given.get("license_link"), dict) else None
    licence, link = _licence(about, given.get("license"), link, providers)
    for key in set(given) - {"providers", "license", "license_link"}:
        about.note("provenance", f"{key} is left out: {shown(given[key])}")
    found = {"providers": providers or None, "license": licence, "license_link": link}
    return {key: value for key, value in found.items() if value is not None or key == "license"}


def _provider(about: About, given: Mapping[str, Any]) -> dict[str, Any]:
    name = str(given.get("name") or given.get("description") or "unknown")
    found = {
        "name": line(name),
        "description": prose(given.get("description")),
        "roles": list(dict.fromkeys(filter(None, (_role(about, name, role) for role in listed(given.get("roles")))))),
        "url": web(about, "provenance", given.get("url"), f"{name}'s "),
    }
    if found["description"] == found["name"]:
        found["description"] = None
    return {key: value for key, value in found.items() if value}


def _role(about: About, name: str, role: Any) -> str | None:
    text = str(role).strip().lower()
    if text in ROLES:
        return text
    hint = did_you_mean(text, ROLES)
    known = _ROLES[text] if text in _ROLES else next((each for each in ROLES if f"'{each}'" in hint), None)
    done = f"is written as '{known}'" if known else "is left out"
    about.note("provenance", f"{name}'s role '{role}' {done}: STAC knows {', '.join(ROLES)}")
    about.todo.append(f"check the roles of {name}: '{role}' {done}")
    return known


def _licence(
    about: About, given: Any, link: dict[str, Any] | None, providers: list[dict[str, Any]]
) -> tuple[str | None, dict[str, Any] | None]:
    """Spell the licence as SPDX does; terms that have no identifier become `other`, with a link to who gives them."""
    text = "" if given is None else str(given).strip()
    if UNSAID.fullmatch(text):
        given = f"license {text!r} says nothing" if text else "no license is given"
        about.note("provenance", f"{given}: write an SPDX identifier")
        about.todo.append("find out the licence, and write its SPDX identifier")
        return None, link
    if spdx := spdx_of(text):
        if spdx != text:
            about.note("provenance", f"license {text!r} is {spdx} in SPDX")
        return spdx, link
    about.note("provenance", f"license {text!r} has no SPDX identifier; 'other' links to who says so")
    about.todo.append(f"check the licence: {text!r} is written as 'other' and may have an SPDX identifier")
    url = next((each["url"] for each in providers if "url" in each), None)
    return "other", link or {"title": text, **({"url": url} if url else {})}


def maintainers(about: About, given: Any) -> Iterator[dict[str, Any]]:
    """Mend who looks after the feedstock."""
    for each in listed(given):
        person = each if isinstance(each, dict) else {"name": str(each)}
        name = person.get("name") or person.get("github")
        if not name:
            about.note("maintainers", f"{shown(each)} is left out: it names nobody")
            continue
        found = {"name": str(name), "github": _github(about, person), "orcid": _orcid(about, person)}
        for key in set(person) - set(found):
            about.note("maintainers", f"{name}'s {key} is left out: {shown(person[key])}")
        yield {key: value for key, value in found.items() if value}


def _github(about: About, person: Mapping[str, Any]) -> str | None:
    given = person.get("github")
    if not given:
        return None
    plain = str(given).strip("/@ ").rpartition("/")[2]
    if not _GITHUB.fullmatch(plain):
        about.note("maintainers", f"github {given!r} is left out: it is no user name")
        return None
    if plain != given:
        about.note("maintainers", f"github {given!r} is written as {plain}")
    return plain


def _orcid(about: About, person: Mapping[str, Any]) -> str | None:
    given = person.get("orcid")
    if not given:
        return None
    digits = re.sub(r"\D(?!$)", "", str(given).rpartition("/")[2].strip().upper())
    plain = "-".join(digits[i : i + 4] for i in range(0, 16, 4))
    sound = bool(_ORCID.fullmatch(plain)) and plain[-1] == orcid_check_digit(plain)
    if not sound:
        about.note("maintainers", f"orcid {given!r} is left out: it can't be one")
        about.todo.append(f"look up the ORCID iD of {person.get('name')}: {given!r} can't be one")
        return None
    if plain != given:
        about.note("maintainers", f"orcid {given!r} is written as {plain}")
    return plain
