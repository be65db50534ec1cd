"""BH5xx: the project's own meta.yaml."""

from __future__ import annotations

from bakehouse.meta.findings import Example, Rule

_BAKERIES = "bakeries:\n  local: {target: .bakehouse/stores}\n"

RULES = (
    Rule(
        "BH501", "unknown-bakery", "lint", "shape",
        title="The default bakery is none of the bakeries.",
        why="A bake without --bakery would have nowhere to go.",
        fix="name one of the bakeries",
        bad=Example(f"default_bakery: locale\n{_BAKERIES}", target="project"),
        good=Example(f"default_bakery: local\n{_BAKERIES}", target="project"),
    ),
)  # fmt: skip
