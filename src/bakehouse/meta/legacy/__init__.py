"""Recipe classes of pangeo-forge-recipes 0.9 and earlier: found without running anything, and written as steps."""

from bakehouse.meta.legacy.find import LegacyRecipe, legacy_recipes
from bakehouse.meta.legacy.message import explain_legacy, legacy_error
from bakehouse.meta.legacy.names import GoneName, gone_names, is_gone
from bakehouse.meta.legacy.rewrite import Rewritten, rewrite

__all__ = [
    "GoneName",
    "LegacyRecipe",
    "Rewritten",
    "explain_legacy",
    "gone_names",
    "is_gone",
    "legacy_error",
    "legacy_recipes",
    "rewrite",
]
