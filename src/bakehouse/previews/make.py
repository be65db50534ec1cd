"""Make the preview of one version: read a little of it, draw it, and put it into a folder beside the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TypeVar

import xarray as xr

from bakehouse.catalog.preview import Preview, VariablePreview
from bakehouse.catalog.record import Note
from bakehouse.catalog.roles import is_latitude, is_longitude, roles
from bakehouse.catalog.urls import as_url
from bakehouse.previews.budget import LIMIT, Cost
from bakehouse.previews.colours import is_secondary
from bakehouse.previews.images import Image, Images, images_of
from bakehouse.previews.sample import Reader, Sample, sample
from bakehouse.previews.small import is_big, small_dataset, write_small
from bakehouse.previews.statistics import Statistics, statistics_of
from bakehouse.storage import Target

T = TypeVar("T")

MOST_VARIABLES = 24
STORE = "preview.zarr"
THUMBNAIL = "thumbnail.png"
NOT_INSTALLED = "no images: matplotlib is not installed (pip install 'bakehouse[plots]')"


@dataclass(frozen=True)
class Made:
    """What was made of a version: its preview if there is any, what was seen of its variables, what was left out."""

    preview: Preview | None
    statistics: Mapping[str, Statistics]
    notes: tuple[Note, ...]


def make_preview(dataset: xr.Dataset, folder: Target, limit: Cost = LIMIT) -> Made:
    """Make a thumbnail, images of each variable and, of a big dataset, a small store.

    Parameters
    ----------
    dataset
        The version as its readers open it, not read yet.
    folder
        Where the preview goes.
    limit
        What may be read of the dataset: decoded bytes of chunks, and how many chunks.
    """
    return _Making(dataset.set_coords(_places(dataset)), folder, limit).all()


def _places(dataset: xr.Dataset) -> list[str]:
    """Name latitudes and longitudes, which few files name as the coordinates that they are."""
    named = [(str(name), each) for name, each in dataset.variables.items()]
    return [name for name, each in named if is_latitude(each, name) or is_longitude(each, name)]


class _Making:
    """One preview in the making; whatever fails costs its own part and is noted."""

    def __init__(self, dataset: xr.Dataset, folder: Target, limit: Cost) -> None:
        self.dataset, self.folder, self.reader = dataset, folder, Reader(dataset, limit)
        self.notes: list[Note] = []
        self.files: dict[str, str] = {}

    def all(self) -> Made:
        names = self._names()
        samples = [s for n, name in enumerate(names) if (s := self._sample(name, len(names) - n)) is not None]
        statistics = {each.name: said for each in samples if (said := statistics_of(each)) is not None}
        can_draw = find_spec("matplotlib") is not None
        if samples and not can_draw:
            self._note(NOT_INSTALLED)
        drawn = [d for each in samples if (d := self._images(each)) is not None] if can_draw else []
        thumbnail, alt = self._thumbnail(drawn)
        variables = tuple(v for each in drawn if (v := self._variable(each)).map or v.series)
        store = self._store([each for each in samples if each.axes.has_map])
        url, spent = as_url(self.folder.url), self.reader.spent.bytes
        preview = Preview(
            url=url, thumbnail=thumbnail, thumbnail_alt=alt, variables=variables, store=store, bytes_read=spent
        )
        return Made(preview if variables or store else None, statistics, tuple(self.notes))

    def _names(self) -> list[str]:
        """Name the variables to show: those of most dimensions and values first."""
        role_of = roles(self.dataset)
        named = [(str(name), each) for name, each in self.dataset.data_vars.items() if role_of[str(name)] == "data"]
        shown = [(name, each) for name, each in named if each.dtype.kind in "fiub" and each.ndim and each.size]
        shown.sort(key=lambda pair: (is_secondary(pair[1]), -pair[1].ndim, -pair[1].size, pair[0]))
        if len(shown) > MOST_VARIABLES:
            self._note(f"the first {MOST_VARIABLES} of {len(shown)} variables have images")
        return [name for name, _ in shown[:MOST_VARIABLES]]

    def _sample(self, name: str, parts: int) -> Sample | None:
        found = self._trying("values could not be read", name, partial(sample, self.reader, name, parts))
        for text in found.missed if found else ():
            self._note(text, name)
        return found

    def _images(self, found: Sample) -> Images | None:
        return self._trying("not drawn", found.name, partial(images_of, self.dataset, found))

    def _variable(self, drawn: Images) -> VariablePreview:
        stem = self._stem(drawn.name)
        map_name, series_name = (
            self._put(drawn, drawn.map, f"{stem}.map.png"),
            self._put(drawn, drawn.series, f"{stem}.series.png"),
        )
        colours = drawn.colours
        return VariablePreview(
            name=drawn.name,
            map=map_name,
            series=series_name,
            cmap=colours.cmap if colours else "viridis",
            limits=(colours.low, colours.high) if colours else None,
            alt=drawn.map.alt if map_name and drawn.map else None,
            series_alt=drawn.series.alt if series_name and drawn.series else None,
        )

    def _thumbnail(self, drawn: list[Images]) -> tuple[str | None, str | None]:
        """Take the first variable that has a map, else the first that has anything."""
        for each in [*(d for d in drawn if d.map), *drawn]:
            if each.thumbnail and (name := self._put(each, each.thumbnail, THUMBNAIL)):
                return name, each.thumbnail.alt
        return None, None

    def _put(self, drawn: Images, image: Image | None, name: str) -> str | None:
        def put(found: Image) -> str:
            self.folder.put(name, found.draw())
            return name

        return self._trying(f"{name} not made", drawn.name, partial(put, image)) if image else None

    def _stem(self, name: str) -> str:
        """Make a file name of a variable's, each its own."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:80] or "variable"
        taken = {key.lower() for key in self.files.values()}
        stems = (plain if n == 1 else f"{plain}-{n}" for n in range(1, len(taken) + 2))
        self.files[name] = next(stem for stem in stems if stem.lower() not in taken)
        return self.files[name]

    def _store(self, samples: list[Sample]) -> str | None:
        if not samples or not is_big(self.dataset, samples):
            return None

        def write() -> str:
            write_small(small_dataset(samples), self.folder.child(STORE))
            return STORE

        return self._trying(f"{STORE} not made", None, write)

    def _trying(self, what: str, name: str | None, make: Callable[[], T]) -> T | None:
        """Do one part; a preview is worth no bake, so whatever libraries say of odd data is a note."""
        try:
            return make()
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            self._note(f"{what}: {type(error).__name__}: {text}", name)
            return None

    def _note(self, text: str, variable: str | None = None) -> None:
        self.notes.append(Note(kind="preview", message=text, variable=variable))
