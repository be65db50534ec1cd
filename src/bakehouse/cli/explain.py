"""`bakehouse explain`: why a rule is there, and how to keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.cli.words import Elsewhere
    from bakehouse.feedstock import Feedstock


@click.command("explain")
@click.argument("code", required=False, metavar="[CODE|PATH|URL]")
@options.elsewhere
@options.common
def command(code: str | None, subdir: str | None, ref: str | None) -> Reply:
    """Explain a finding, or a feedstock.

    CODE is a rule's code or name; without it, all rules are listed. Of a feedstock at PATH or URL, every recipe is
    listed, those of a dict_object by importing it; --json gives its meta.yaml with these.
    """
    from bakehouse.cli.words import Elsewhere, Where, is_place

    if code and is_place(code):
        return _feedstock(Elsewhere(code, Where(subdir, ref)))
    return _one(code) if code else _all()


def _feedstock(word: Elsewhere) -> Reply:
    from bakehouse.cli.selection import is_linked, nothing_to_run
    from bakehouse.cli.text import labelled
    from bakehouse.feedstock import feedstock_at

    located = word.located()
    feedstock = feedstock_at(located.folder, located.repository)
    recipes = [] if is_linked(feedstock) else _expanded(feedstock)
    meta = feedstock.meta.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"recipes"})
    rows = [("recipe", f"{each['id']}: {each['made']}") for each in recipes]
    said = labelled([("folder", str(feedstock.code)), *rows])
    text = nothing_to_run(feedstock) if is_linked(feedstock) else f"{feedstock.id}: {meta.get('title', '')}\n{said}"
    expanded = [{"id": each["id"], "object": each["made"]} for each in recipes]
    return Reply(text, {"feedstock": feedstock.id, "meta": {**meta, "recipes": expanded}})


def _expanded(feedstock: Feedstock) -> list[dict[str, str]]:
    """List each recipe with what makes it; members of a dict are written as its items."""
    from bakehouse.cli.projects import recipes_of

    named = {str(entry.id): entry.object or f"recipe {entry.recipe}" for entry in feedstock.meta.recipes if entry.id}
    many = next((str(entry.dict_object) for entry in feedstock.meta.recipes if entry.dict_object), "")
    return [{"id": name, "made": named.get(name, f"{many}[{name!r}]")} for name in recipes_of(feedstock)]


def _one(code: str) -> Reply:
    from bakehouse.meta.docs import explain

    if (upper := code.upper()).startswith("CAT"):
        return _catalog_code(upper)
    text = explain(code)
    return Reply(text, {"rules": [rule for rule in _rules() if text.startswith(f"{rule['code']} ")]})


def _catalog_code(code: str) -> Reply:
    from bakehouse.catalog.index import CODES
    from bakehouse.errors import UsageError, did_you_mean

    if code not in CODES:
        raise UsageError(f"there is no code '{code}'", None, None, did_you_mean(code, CODES))
    return Reply(f"{code} (catalog check)\n\n{CODES[code]}", {"rules": [_catalog_rule(code, CODES[code])]})


def _all() -> Reply:
    from bakehouse.catalog.index import CODES
    from bakehouse.cli.text import table

    rules = [*_rules(), *(_catalog_rule(code, title) for code, title in CODES.items())]
    rows = [[rule["code"], rule["severity"], rule["title"]] for rule in rules]
    return Reply(f"{table(rows)}\n\nbakehouse explain CODE says more.", {"rules": rules})


def _rules() -> list[dict[str, Any]]:
    from bakehouse.meta.rules import RULES

    fields = ("code", "name", "severity", "title", "why", "fix")
    return [{field: getattr(rule, field) for field in fields} for rule in RULES.values()]


def _catalog_rule(code: str, title: str) -> dict[str, Any]:
    return {"code": code, "name": None, "severity": "catalog", "title": title, "why": None, "fix": None}
