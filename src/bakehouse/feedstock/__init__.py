"""From a feedstock's folder to recipes that Beam can run."""

from bakehouse.feedstock.blame import blame
from bakehouse.feedstock.folder import Feedstock, feedstock_at, find_feedstock, recipe_ids
from bakehouse.feedstock.loading import load_recipes
from bakehouse.feedstock.places import recipe_place

__all__ = ["Feedstock", "blame", "feedstock_at", "find_feedstock", "load_recipes", "recipe_ids", "recipe_place"]
