"""`bakehouse explain`: why a rule is there, and how to keep it."""

from __future__ import annotations

from typing import Any

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply


@click.command("explain")
@click.argument("code", required=False)
@options.common
def command(code: str | None) -> Reply:
    """Explain a finding.

    CODE is a rule's code or name; without it, all rules are listed.
    """
    return _one(code) if code else _all()


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
