"""The outline of the land, from what is bundled with the site: nothing is downloaded, and without it there is none."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

BUNDLED = ("site/bundle/coastlines.json", "site/bundle/land-110m.json")


@cache
def coastlines() -> tuple[np.ndarray, ...]:
    """Give lines of longitude and latitude; none if the bundle is not there."""
    for name in BUNDLED:
        file = files("bakehouse").joinpath(name)
        if file.is_file():
            return as_lines(json.loads(file.read_text()))
    return ()


def as_lines(said: Any) -> tuple[np.ndarray, ...]:
    """Read lines from TopoJSON, GeoJSON or bare lists.

    Examples
    --------
    >>> topology = {"type": "Topology", "transform": {"scale": [1, 1], "translate": [-10, 0]}}
    >>> as_lines({**topology, "arcs": [[[0, 0], [5, 1], [5, 0]]]})[0].tolist()
    [[-10.0, 0.0], [-5.0, 1.0], [0.0, 1.0]]
    """
    if isinstance(said, dict) and said.get("type") == "Topology":
        return tuple(_arc(arc, said.get("transform")) for arc in said["arcs"])
    return tuple(_lines(said))


def _arc(arc: list[list[float]], transform: dict[str, list[float]] | None) -> np.ndarray:
    points = np.asarray(arc, "float64")
    if transform is None:
        return points
    return np.asarray(np.cumsum(points, axis=0) * transform["scale"] + transform["translate"])


def _lines(said: Any) -> list[np.ndarray]:
    if isinstance(said, dict):
        inner = [said.get(key) for key in ("features", "geometry", "geometries", "coordinates")]
        return [line for each in inner if each for line in _lines(each)]
    if said and isinstance(said[0], list) and said[0] and isinstance(said[0][0], int | float):
        return [np.asarray(said, "float64")[:, :2]]
    return [line for each in said for line in _lines(each)]


def seen(lines: tuple[np.ndarray, ...], west: float, east: float) -> list[np.ndarray]:
    """Repeat lines to both sides, so that they are there whichever way a map counts its longitudes."""
    kept = [part for line in lines for part in _without_edges(line)]
    moves = [turn for turn in (-360.0, 0.0, 360.0) if west < 180 + turn and east > -180 + turn]
    return [part + [turn, 0.0] for turn in moves for part in kept]


def _without_edges(line: np.ndarray) -> list[np.ndarray]:
    """Cut a line where it crosses or runs along the antimeridian or a pole: there a polygon ends and no coast is."""
    edge = (np.abs(line[:, 0]) > 179.9) | (line[:, 1] < -89.5)
    jump = np.abs(np.diff(line[:, 0])) > 180
    cuts = np.flatnonzero((edge[1:] & edge[:-1]) | jump) + 1
    return [part for part in np.split(line, cuts) if len(part) > 1]
