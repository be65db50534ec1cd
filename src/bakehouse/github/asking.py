"""From an issue form to the files of a feedstock, in a job that may write nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bakehouse.errors import UsageError
from bakehouse.feedstock.native.text import meta_text
from bakehouse.github.confined import recipe_environment
from bakehouse.github.following import follow
from bakehouse.github.forms import (
    FILES as SCHEMES,
)
from bakehouse.github.forms import (
    LINK,
    LOGIN,
    REQUEST,
    STORES,
    Answers,
    RefusedRequestError,
    answers,
    checked,
    feedstock_id,
    insist_address,
)
from bakehouse.github.masking import Mask
from bakehouse.github.requests import FILES, REQUEST_FILE, Note, Refusal, Request
from bakehouse.meta.load import feedstock_folders
from bakehouse.meta.load import feedstock_id as id_of
from bakehouse.meta.spdx import normalized
from bakehouse.meta.url_template import fields_of
from bakehouse.meta.urls import WEB

KINDS = {"link-dataset": "link", "request-dataset": "request"}
"""What an issue asks for, by its label."""
LIMIT_S = 1200.0
SCHEMA_LINE = "# yaml-language-server: $schema=../../schemas/feedstock.schema.json"
TOLD = ("Size", "Format", "Authorization", "Transformation", "Target format", "Examples", "Comments")
_PLACES = {"feedstock": "feedstocks/{}/meta.yaml", "entries": "catalog/{}"}


def answer(event: Mapping[str, Any], root: Path, out: Path) -> Request:
    """Make what an issue or a dispatch asks for; a refusal is an answer too. Writes the document and the files.

    Raises
    ------
    UsageError
        If the event is about neither.
    """
    kind, number, said, login = _asked(event)
    try:
        given = said() if callable(said) else said
        request = _link(given, root, out, number) if kind == "link" else _describe(given, root, out, number, login)
    except RefusedRequestError as error:
        request = Request(kind=kind, number=number, refusal=Refusal.of(error))
        shutil.rmtree(out / FILES, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / REQUEST_FILE).write_text(request.to_json(), encoding="utf-8")
    return request


def _asked(event: Mapping[str, Any]) -> tuple[Any, int | None, Any, str]:
    """Say what is asked for, by which issue, in which words, by whom."""
    inputs, issue = event.get("inputs"), event.get("issue") or {}
    if isinstance(inputs, dict):
        named = {"url": "URL", "title": "Title", "license": "Licence", "contact": "Contact", "id": "Id"}
        said = {label: str(inputs.get(name) or "") for name, label in named.items()}
        return "link", None, lambda: checked(said), ""
    kinds = [KINDS[each["name"]] for each in issue.get("labels") or () if each.get("name") in KINDS]
    if len(kinds) != 1 or "pull_request" in issue:
        raise UsageError("the issue asks for nothing", None, None, f"give it one of the labels {', '.join(KINDS)}")
    labels, body = LINK if kinds[0] == "link" else REQUEST, str(issue.get("body") or "")
    return kinds[0], int(issue["number"]), lambda: answers(body, labels), str(issue["user"]["login"])


def _new_id(said: Answers, title: str, root: Path) -> str:
    name = feedstock_id(said, title)
    taken = {id_of(each).casefold() for each in feedstock_folders(root)}
    if name.casefold() in taken:
        fix = "if it is the same dataset, its page and its issues are the place; else choose another 'Id'"
        raise RefusedRequestError(f"there is a feedstock '{name}' already", None, None, fix)
    return name


def _link(said: Answers, root: Path, out: Path, number: int | None) -> Request:
    said.insist("URL", "Title", "Licence", "Contact")
    insist_address("URL", said["URL"], STORES)
    name = _new_id(said, said["Title"], root)
    login = said["Contact"].removeprefix("@")
    who = {"github": login} if LOGIN.fullmatch(login) else {"maintainer": login, "contact": said["Contact"]}
    options = {"url": said["URL"], "title": said["Title"], "license": said["Licence"], **who, "catalog": "published"}
    with tempfile.TemporaryDirectory(prefix="bakehouse-link-") as folder:
        project = Path(folder)
        (project / "feedstocks").mkdir()
        shutil.copyfile(root / "meta.yaml", project / "meta.yaml")
        _run_link(name, options, project)
        for place in _PLACES.values():
            _take(project, place.format(name), out / FILES)
    notes = (Note(label="Comments", text=said["Comments"]),) if said["Comments"] else ()
    return Request(kind="link", number=number, feedstock=name, title=said["Title"], notes=notes)


def _run_link(name: str, options: Mapping[str, str], project: Path) -> None:
    """Link a store into a project of its own.

    Raises
    ------
    RefusedRequestError
        If it is refused.
    """
    words = ["link", name, *(f"--{key}={value}" for key, value in options.items()), "--project", str(project)]
    ended = follow(words, project, recipe_environment(), Mask.of(os.environ), LIMIT_S)
    document = ended.document or {}
    errors = [document.get("error"), *(each.get("error") for each in document.get("stores") or ())]
    if error := next((each for each in errors if each), None):
        cause = "; ".join(filter(None, (error.get("cause"), error.get("where")))) or None
        raise RefusedRequestError(str(error.get("message")), None, cause, error.get("fix"))
    if ended.status or not document.get("stores"):
        why = ended.stopped or f"it ended with status {ended.status}"
        raise RefusedRequestError("the store could not be looked at", None, why, "a maintainer will look at the log")


def _take(project: Path, name: str, out: Path) -> None:
    """Copy a file, or the entries in a folder."""
    place = project / name
    for path in sorted(place.glob("*.json")) if place.is_dir() else [place]:
        to = out / path.relative_to(project)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def _describe(said: Answers, root: Path, out: Path, number: int | None, login: str) -> Request:
    """Fill in a meta.yaml with what a request says; what it leaves out is left for its author."""
    said.insist("Name", "URL", "Description")
    insist_address("URL", said["URL"], WEB)
    name = _new_id(said, said["Name"], root)
    path = out / FILES / _PLACES["feedstock"].format(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_meta(said, name, login), encoding="utf-8")
    licence = said["Licence"] if said["Licence"] and not normalized(said["Licence"]) else ""
    told = {**{label: said[label] for label in TOLD}, "Licence": licence}
    notes = tuple(Note(label=label, text=text) for label, text in told.items() if text)
    return Request(kind="request", number=number, feedstock=name, title=said["Name"], notes=notes)


def _meta(said: Answers, name: str, login: str) -> str:
    provider = (
        [{"name": said["Organization"], "roles": ["producer"], "url": said["URL"]}] if said["Organization"] else []
    )
    licence = normalized(said["Licence"]) if said["Licence"] else None
    data = {
        "title": said["Name"],
        "description": " ".join(said["Description"].split()),
        "provenance": {**({"providers": provider} if provider else {}), "license": licence},
        "maintainers": [{"name": login, "github": login}] if LOGIN.fullmatch(login) else None,
        "links": [{"label": "About the data", "url": said["URL"]}],
        "recipes": [{"id": name, "recipe": "files_to_zarr", "with": {"pattern": _pattern(said["Location"])}}],
    }
    todo = "Still to be filled in: which inputs there are. See docs/how-to/add-a-feedstock.md"
    return meta_text([SCHEMA_LINE], data, {"recipes": [todo]})


def _pattern(location: str) -> dict[str, Any]:
    """Begin a pattern from the address of one file, in which fields may stand for what changes."""
    if not location:
        return {"url": "", "concat": {"time": {"start": None, "end": None, "freq": "D"}}}
    insist_address("Location", location, SCHEMES)
    try:
        fields = fields_of(location)
    except ValueError as error:
        raise RefusedRequestError(f"'Location' can't be read: {error}", None, None, "write {time:%Y%m%d}") from None
    if not fields:
        return {"files": [location]}
    dates = {key: {"start": None, "end": None, "freq": "D"} for key, specs in fields.items() if "%" in "".join(specs)}
    keys: dict[str, Any] = {key: None for key in fields if key not in dates}
    return {"url": location, "concat": {**dates, **keys}}
