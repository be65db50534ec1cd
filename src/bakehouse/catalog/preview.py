"""What an entry says of the images and the small store that were made when its version was published."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import FiniteFloat, NonNegativeInt, StringConstraints

from bakehouse.catalog.canonical import Model, Text
from bakehouse.catalog.urls import StoreUrl

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=200)]
"""A file right in the preview's folder, on every file system and in every address."""

Colormap = Literal["viridis", "plasma", "YlGnBu", "RdBu_r", "twilight"]
"""Of matplotlib's, those that tell values apart for colour-blind eyes: sequential three times, diverging, cyclic."""


class VariablePreview(Model):
    """The images of one variable, and how its values are coloured.

    `limits` are those of the colormap: the 2nd and 98th percentile of what was read, made symmetrical about 0 where the
    colormap diverges, a full turn where it is cyclic. `alt` says in a sentence what the map shows, `series_alt` what
    the series shows.
    """

    name: Text
    map: FileName | None = None
    series: FileName | None = None
    cmap: Colormap = "viridis"
    limits: tuple[FiniteFloat, FiniteFloat] | None = None
    alt: Text | None = None
    series_alt: Text | None = None


class Preview(Model):
    """A folder beside the store, which is no part of it nor of its version; the files in it are named from there.

    `store` is a small zarr store of the variables that have maps: fewer cells and, of many moments, some, all of them
    values of the dataset. `bytes_read` counts the decoded chunks that were read to make all of it.
    """

    url: StoreUrl
    thumbnail: FileName | None = None
    thumbnail_alt: Text | None = None
    variables: tuple[VariablePreview, ...] = ()
    store: FileName | None = None
    bytes_read: NonNegativeInt | None = None
