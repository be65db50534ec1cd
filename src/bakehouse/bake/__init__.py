"""A run from plan to catalog entry."""

from bakehouse.bake.run import Outcome, bake, plan_recipe, try_recipe, verify_recipe

__all__ = ["Outcome", "bake", "plan_recipe", "try_recipe", "verify_recipe"]
