"""From the places of cells to the pixels of a map: every pixel shows the cell that it lies in, at its true position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bakehouse.catalog.extents import bounding_box

NOWHERE = -1
Spot = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Gives for latitudes and longitudes of one shape the position of the cell there, `NOWHERE` outside of all."""


@dataclass(frozen=True)
class Extent:
    """The part of the globe that a map shows, in degrees; east is greater than west, across the antimeridian too."""

    west: float
    south: float
    east: float
    north: float

    @property
    def is_global(self) -> bool:
        """Say whether it goes all around."""
        return self.east - self.west >= 360

    @property
    def aspect(self) -> float:
        """Give its true width over its height, at the middle latitude; all around, degrees are as long both ways."""
        middle = 0.0 if self.is_global else (self.south + self.north) / 2
        return (self.east - self.west) * max(np.cos(np.radians(middle)), 0.2) / (self.north - self.south)

    def of_aspect(self, aspect: float) -> Extent:
        """Widen it to an aspect, as far as the globe goes."""
        if self.aspect < aspect:
            more = min((self.east - self.west) * aspect / self.aspect, 360.0) - (self.east - self.west)
            return Extent(self.west - more / 2, self.south, self.east + more / 2, self.north)
        more = (self.north - self.south) * (self.aspect / aspect - 1)
        return Extent(self.west, max(self.south - more / 2, -90.0), self.east, min(self.north + more / 2, 90.0))

    def inside(self, aspect: float) -> Extent:
        """Cut it to an aspect, around its middle."""
        wide, part = self.aspect > aspect, self.aspect / aspect
        across = (self.east - self.west) * (1 - (1 / part if wide else 1)) / 2
        up = (self.north - self.south) * (1 - (1 if wide else part)) / 2
        return Extent(self.west + across, self.south + up, self.east - across, self.north - up)

    def pixels(self, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Give latitude and longitude of the middle of each pixel, the topmost row first."""
        lon = self.west + (np.arange(width) + 0.5) * (self.east - self.west) / width
        lat = self.north - (np.arange(height) + 0.5) * (self.north - self.south) / height
        lats, lons = np.meshgrid(lat, lon, indexing="ij")
        return lats, lons


def extent_of(lat: np.ndarray, lon: np.ndarray) -> Extent | None:
    """Find what a map of cells at these places shows, half a cell more on each side."""
    box = bounding_box([lat], [lon])
    if box is None:
        return None
    west, south, east, north = box
    if (west, east) == (-180.0, 180.0):
        edge = _usual_step(lat) / 2 or 0.5
        return Extent(-180.0, _to_pole(south, -edge), 180.0, _to_pole(north, edge))
    east += 360.0 if east < west else 0.0
    across, up = (_usual_step(values) / 2 or 0.5 for values in (lon, lat))
    return Extent(west - across, max(south - up, -90.0), east + across, min(north + up, 90.0))


def _to_pole(lat: float, edge: float) -> float:
    """Go to the pole where what is left is no more than empty ice."""
    near = lat * np.sign(edge) > 75
    return float(np.copysign(90.0, edge)) if near else float(np.clip(lat + edge, -90, 90))


def _usual_step(values: np.ndarray) -> float:
    """Find the usual distance in degrees between neighbours, along the axis where it is larger."""
    steps = [np.abs((np.diff(values.astype("float64"), axis=axis) + 180) % 360 - 180) for axis in range(values.ndim)]
    return max((float(np.nanmedian(step)) for step in steps if np.isfinite(step).any()), default=0.0)


def spots_of_grid(lat: np.ndarray, lon: np.ndarray) -> Spot:
    """Find cells of a grid of latitudes and longitudes; a cell ends halfway to its neighbours.

    Examples
    --------
    >>> find = spots_of_grid(np.array([-45.0, 45.0]), np.array([0.0, 90.0, 180.0, 270.0]))
    >>> find(np.array([40.0, -89.0]), np.array([-100.0, 200.0]))
    array([7, 2])
    """
    rows, columns = _Line.of(lat, None), _Line.of(lon, 360.0)

    def find(lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
        row, column = rows.find(lats), columns.find(lons)
        return np.where((row == NOWHERE) | (column == NOWHERE), NOWHERE, row * lon.size + column)

    return find


@dataclass(frozen=True)
class _Line:
    """Positions along one axis, in order, and how far each reaches to both sides."""

    order: np.ndarray
    values: np.ndarray
    reach: np.ndarray
    turn: float | None

    @classmethod
    def of(cls, values: np.ndarray, turn: float | None) -> _Line:
        known = np.flatnonzero(np.isfinite(values))
        wide = values[known].astype("float64")
        wide = wide % turn if turn else wide
        order = np.argsort(wide, kind="stable")
        wide, order = wide[order], known[order]
        usual = float(np.median(np.diff(wide))) if wide.size > 1 else 1.0
        near = np.concatenate([[usual], np.diff(wide), [usual]])
        reach = np.minimum(np.maximum(near[:-1], near[1:]), 3 * usual) / 2 * 1.001
        if turn:  # so that both ends of the circle see each other
            wide = np.concatenate([wide[-1:] - turn, wide, wide[:1] + turn])
            order, reach = np.concatenate([order[-1:], order, order[:1]]), np.pad(reach, 1, mode="wrap")
        return cls(order, wide, reach, turn)

    def find(self, at: np.ndarray) -> np.ndarray:
        """Give the nearest position that reaches there."""
        at = at % self.turn if self.turn else at
        right = np.clip(np.searchsorted(self.values, at), 1, max(len(self.values) - 1, 1))
        right = np.minimum(right, len(self.values) - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(np.abs(at - self.values[left]) <= np.abs(self.values[right] - at), left, right)
        return np.where(np.abs(at - self.values[nearest]) <= self.reach[nearest], self.order[nearest], NOWHERE)


def spots_of_cells(lat: np.ndarray, lon: np.ndarray) -> Spot:
    """Find cells that lie anywhere: the nearest on the sphere, if it is no farther than cells are apart there.

    Neither the antimeridian nor a pole is anything special. Cells are apart as their neighbours in the arrays are.
    """
    from scipy.spatial import cKDTree

    points = _on_sphere(lat.astype("float64"), lon.astype("float64"))
    reach = _reaches(points).ravel()
    known = np.flatnonzero(np.isfinite(points).all(axis=-1))
    tree = cKDTree(points.reshape(-1, 3)[known])

    def find(lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
        far, nearest = tree.query(_on_sphere(lats, lons))
        return np.where(far <= reach[known[nearest]], known[nearest], NOWHERE)

    return find


def _on_sphere(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Give points on the unit sphere, on a last axis of three."""
    up, around = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)


def _reaches(points: np.ndarray) -> np.ndarray:
    """Say how far from the middle of each cell its corners are."""
    if points.ndim == 2:
        from scipy.spatial import cKDTree

        known = np.isfinite(points).all(axis=-1)
        reach = np.zeros(len(points))
        near = min(5, int(known.sum()))
        reach[known] = cKDTree(points[known]).query(points[known], near)[0].reshape(known.sum(), -1)[:, -1] * 0.75
        return reach
    return 0.6 * np.hypot(_apart(points, 0), _apart(points, 1))


def _apart(points: np.ndarray, axis: int) -> np.ndarray:
    """Give each cell's distance to the nearer of its two neighbours along an axis: a seam is on one side at most."""
    if points.shape[axis] < 2:
        return np.zeros(points.shape[:-1])
    steps = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
    steps = np.where(np.isfinite(steps) & (steps > 0), steps, np.inf)  # columns of a halo lie on others
    wide = [(0, 0), (0, 0)]
    wide[axis] = (1, 1)
    padded = np.pad(steps, wide, constant_values=np.inf)
    first, second = (np.take(padded, range(n, n + points.shape[axis]), axis=axis) for n in (0, 1))
    nearer = np.minimum(first, second)
    return np.where(np.isfinite(nearer), nearer, 0.0)
