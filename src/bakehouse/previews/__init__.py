"""Previews: images of a version, and a small store of a big one, made when it is published and never part of it."""

from bakehouse.previews.make import Made, make_preview
from bakehouse.previews.statistics import Statistics

__all__ = ["Made", "Statistics", "make_preview"]
