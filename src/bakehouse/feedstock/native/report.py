"""What was kept, what was changed and what is left for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Made = Literal["declarative", "kept", "rewritten", "linked"]
"""What has become of a recipe."""


@dataclass
class Report:
    """Notes that are taken while a feedstock is imported."""

    recipes: dict[str, Made] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)

    recipe_notes: list[str] = field(default_factory=list)
    """What is said of the recipes, for the head of their list."""

    def of_recipe(self, notes: list[str], text: str) -> None:
        """Take a note of a recipe."""
        notes.append(text)
        self.recipe_notes.append(text)

    def as_dict(self) -> dict[str, Any]:
        """Give the notes as one JSON-ready mapping."""
        return {"recipes": self.recipes, "kept": self.kept, "changed": self.changed, "todo": self.todo}
