"""Upstream's metadata as ours: dead keys dropped, names spelled as the catalog does, what is missing left open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bakehouse.errors import did_you_mean
from bakehouse.feedstock.native.licences import UNSAID, spdx_of
from bakehouse.meta.base import is_safe_name
from bakehouse.meta.models import ROLES, FeedstockMeta, LinkedStore
from bakehouse.meta.rules.about import orcid_check_digit
from bakehouse.meta.urls import WEB, path_escapes, url_problem

DEAD = ("bakery", "pangeo_forge_version", "pangeo_notebook_version", "meta_yaml_url", "ncviewjs:meta_yaml_url")
ORDER = ("title", "description", "provenance", "maintainers", "tags", "links", "thumbnail", "citation", "contact",
         "acknowledgements", "recipes", "stores", "fixture", "update")  # fmt: skip
CHECKED_LATER = ("public", "geospatial", "last_updated")
"""Keys of a store that LEAP's checker overwrites."""
_ROLES: Mapping[str, str | None] = {
    **dict.fromkeys(("author", "authors", "creator", "originator", "data producer", "owner"), "producer"),
    **dict.fromkeys(("data provider", "provider", "distributor", "publisher", "data host", "archive"), "host"),
    **dict.fromkeys(("licenser", "licensee", "copyright holder"), "licensor"),
}
_GITHUB = re.compile(r"[A-Za-z\d](-?[A-Za-z\d]){0,38}", re.ASCII)
_ORCID = re.compile(r"(\d{4}-?){3}\d{3}[\dXx]")


@dataclass
class About:
    """The mended metadata, by key in the order in which they are written, and what was done to each."""

    data: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    todo: list[str] = field(default_factory=list)

    def note(self, key: str, text: str) -> None:
        """Say what was done to a key."""
        self.comments.setdefault(key, []).append(text)


def mend(found: Mapping[str, Any]) -> About:
    """Mend what meta.yaml and catalog.yaml say; recipes are left as they are."""
    about = About()
    given = {key: value for key, value in found.items() if value not in (None, "", [], {})}
    if dead := [key for key in DEAD if key in found]:
        about.note("", f"Dropped, since nothing here needs it: {', '.join(dead)}")
    for key in [key for key in given if key not in FeedstockMeta.model_fields and key not in DEAD]:
        about.note("", f"Dropped, since no such key is known: {key}: {_shown(given[key])}")
    mended: dict[str, Any] = {
        "title": _line(given.get("title")),
        "description": _prose(given.get("description")),
        "provenance": _provenance(about, given.get("provenance")),
        "maintainers": list(_maintainers(about, given.get("maintainers"))) or None,
        "links": list(_links(about, given.get("links"))) or None,
        "thumbnail": _web(about, "thumbnail", given.get("thumbnail")),
        "tags": [str(tag) for tag in _listed(given.get("tags"))] or None,
        "stores": list(_stores(about, given.get("stores"))) or None,
    }
    for key in ORDER:
        value = mended.get(key, given.get(key))
        if value is not None or key in ("title", "maintainers"):
            about.data[key] = value
    for key in ("title", "maintainers"):
        if about.data[key] is None:
            about.todo.append(f"add {key}")
    return about


def _line(value: Any) -> str | None:
    return " ".join(str(value).split()) if value is not None else None


def _prose(value: Any) -> str | None:
    """Join lines that were only wrapped; paragraphs stay apart."""
    if value is None:
        return None
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", str(value).strip()))


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _web(about: About, key: str, value: Any, what: str = "") -> str | None:
    """Give an address that a browser opens."""
    if value is None:
        return None
    text = str(value).strip()
    if problem := path_escapes(text) or url_problem(text, WEB):
        about.note(key, f"{what}url {text!r} is left out: {problem}")
        return None
    return text


def _provenance(about: About, given: Any) -> dict[str, Any]:
    given = given if isinstance(given, dict) else {}
    providers = [_provider(about, each) for each in _listed(given.get("providers")) if isinstance(each, dict)]
    link = given.get("license_link") if isinstance(given.get("license_link"), dict) else None
    licence, link = _licence(about, given.get("license"), link, providers)
    for key in set(given) - {"providers", "license", "license_link"}:
        about.note("provenance", f"{key} is left out: {_shown(given[key])}")
    found = {"providers": providers or None, "license": licence, "license_link": link}
    return {key: value for key, value in found.items() if value is not None or key == "license"}


def _provider(about: About, given: Mapping[str, Any]) -> dict[str, Any]:
    name = str(given.get("name") or given.get("description") or "unknown")
    found = {
        "name": _line(name),
        "description": _prose(given.get("description")),
        "roles": list(dict.fromkeys(filter(None, (_role(about, name, role) for role in _listed(given.get("roles")))))),
        "url": _web(about, "provenance", given.get("url"), f"{name}'s "),
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


def _maintainers(about: About, given: Any) -> Iterator[dict[str, Any]]:
    for each in _listed(given):
        person = each if isinstance(each, dict) else {"name": str(each)}
        name = person.get("name") or person.get("github")
        if not name:
            about.note("maintainers", f"{_shown(each)} is left out: it names nobody")
            continue
        found = {"name": str(name), "github": _github(about, person), "orcid": _orcid(about, person)}
        for key in set(person) - set(found):
            about.note("maintainers", f"{name}'s {key} is left out: {_shown(person[key])}")
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


def _links(about: About, given: Any) -> Iterator[dict[str, Any]]:
    for each in _listed(given):
        link = each if isinstance(each, dict) else {"url": each}
        if url := _web(about, "links", link.get("url") or link.get("href")):
            label = link.get("label") or link.get("title") or link.get("name")
            yield {"label": str(label), "url": url} if label else {"url": url}


def _stores(about: About, given: Any) -> Iterator[dict[str, Any]]:
    """Keep the stores that are links."""
    known = {*LinkedStore.model_fields, "ncviewjs:rechunking"} - set(CHECKED_LATER)
    for each in _listed(given):
        store = each if isinstance(each, dict) else {}
        name, url = str(store.get("id") or ""), str(store.get("url") or "")
        problem = None if is_safe_name(name) else f"{name!r} can't be an id"
        if problem := problem or path_escapes(url) or url_problem(url):
            about.note("stores", f"store {_shown(store or each)} is left out: {problem}")
            continue
        lost = [key for key in store if key not in known]
        if lost:
            about.note("stores", f"{name}'s {', '.join(lost)} left out: found out when the store is linked")
        found = {key: value for key, value in store.items() if key in known and value not in (None, "", [], {})}
        if "ncviewjs:rechunking" in found:
            found["rechunking"] = found.pop("ncviewjs:rechunking")
        yield found
