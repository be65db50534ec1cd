"""A run from plan to catalog entry."""

from bakehouse.bake.outcome import Outcome
from bakehouse.bake.run import bake, plan_recipe, try_recipe, update
from bakehouse.bake.verify import verify_recipe

__all__ = ["Outcome", "bake", "plan_recipe", "try_recipe", "update", "verify_recipe"]
