"""One drawn dataset, whole, before it is cut into the files of an archive."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import cftime
import numpy as np
import xarray as xr
from hypothesis import strategies as st

from tests.archives import CombineDim, StoreOptions
from tests.oracle import Key

TEXTS = ["", "a", "été", "longer text", "北"]
TIMES = ("date", "noleap", "360_day")
Draw = Callable[..., Any]


@dataclass(frozen=True)
class Format:
    """A file format and the library that writes it."""

    name: str
    engine: str

    @property
    def chunked(self) -> bool:
        """Say whether files can have chunks and filters."""
        return not self.name.startswith("NETCDF3")


def small(most: int) -> st.SearchStrategy[int]:
    """Draw a whole number from 1 to `most`."""
    return st.integers(1, most)


def positions(dims: list[CombineDim]) -> list[Key]:
    """List the keys of all combinations of positions."""
    keys: list[Key] = [()]
    for dim in dims:
        keys = [(*key, (dim.name, p)) for key in keys for p in range(len(dim.keys))]
    return [tuple(sorted(key)) for key in keys]


class Whole:
    """The whole dataset, before it is cut into files."""

    def __init__(
        self,
        draw: Draw,
        form: Format,
        dims: list[CombineDim],
        sizes: dict[str, int],
        unlimited: tuple[str, ...],
        rng: np.random.Generator,
    ) -> None:
        self.draw, self.form, self.dims, self.sizes, self.unlimited, self.rng = draw, form, dims, sizes, unlimited, rng
        self.concat = [d for d in dims if d.operation == "concat"]
        self.variables: dict[str, xr.Variable] = {}
        self.coords: list[str] = []
        self.encoding: dict[str, dict[str, Any]] = {}
        self.varying: list[str] = []

    def fill(self, static: Iterable[str]) -> dict[str, Key]:
        """Draw all variables; say to which position along the merge dims each data variable belongs."""
        for dim in self.concat:
            self.concat_coordinate(dim)
        for name in static:
            self.static_coordinate(name)
        for number in range(self.draw(st.integers(0, 2))):
            self.coordinate(f"c{number}")
        self.attrs = self.draw(_attrs())
        return self.data_variables()

    def dataset(self) -> xr.Dataset:
        """Give the whole dataset."""
        return xr.Dataset(self.variables, attrs=self.attrs).set_coords(self.coords)

    def concat_coordinate(self, dim: CombineDim) -> None:
        """Draw the coordinate of a concat dim, perhaps with bounds."""
        if dim.kind == "new":
            return
        kinds = ["int", "float", "date", "noleap", "360_day", "text"] + (["none"] if dim.kind == "existing" else [])
        kind = self.draw(st.sampled_from(kinds))
        if kind == "none":
            return
        steps = np.cumsum(self.rng.integers(1, 4, self.sizes[dim.name]))
        steps = steps[::-1] if kind != "text" and self.draw(st.booleans()) else steps
        self._add(dim.name, (dim.name,), _axis_values(kind, steps), coordinate=True)
        self._encode_axis(dim.name, kind)
        if kind in TIMES and self.draw(st.booleans()):
            self.variables[dim.name].attrs["bounds"] = f"{dim.name}_bnds"
            edges = np.stack([_axis_values(kind, steps), _axis_values(kind, steps + 1)], axis=1)
            self.variables[f"{dim.name}_bnds"] = xr.Variable((dim.name, "bnds"), edges)

    def _encode_axis(self, name: str, kind: str) -> None:
        if kind in TIMES:
            unit = self.draw(st.sampled_from(["days", "hours"]))
            calendar = "standard" if kind == "date" else kind
            dtype = self.draw(st.sampled_from(["f8", "i4"]))
            self.encoding[name] = {
                "units": f"{unit} since 2000-01-01",
                "calendar": calendar,
                "dtype": dtype,
                "_FillValue": None,
            }
            if self.draw(st.integers(0, 3)) == 0:
                self.varying.append(name)
        elif kind == "float":
            self.encoding[name] = {"_FillValue": None}

    def static_coordinate(self, name: str) -> None:
        """Draw the coordinate of a dimension that all files share, or none."""
        kind = self.draw(st.sampled_from(["none", "int", "float", "text"]))
        if kind != "none":
            steps = np.cumsum(self.rng.integers(1, 4, self.sizes[name]))
            self._add(name, (name,), _axis_values(kind, steps), coordinate=True)
            if kind == "float":
                self.encoding[name] = {"_FillValue": None}

    def _dims(self, all_concat: bool = False) -> tuple[str, ...]:
        """Draw some of the dimensions in any order; those that files lack come first."""
        always = [d.name for d in self.concat] if all_concat else []
        chosen = [d for d in self.sizes if d in always or self.draw(st.booleans())]
        first = [d.name for d in self.concat if d.kind != "existing" and d.name in chosen]
        # The classic data model wants an unlimited dimension in front.
        classic = self.form.name != "NETCDF4"
        first += [d for d in self.unlimited if d in chosen and (classic or self.draw(st.booleans()))]
        return (*first, *self.draw(st.permutations([d for d in chosen if d not in first])))

    def coordinate(self, name: str) -> None:
        """Draw a non-dimension coordinate; all of its values are different."""
        dims = self._dims()
        shape = tuple(self.sizes[d] for d in dims)
        values = 0.5 * self.rng.permutation(math.prod(shape)).reshape(shape) + self.draw(st.integers(0, 9))
        self._add(name, dims, values.astype(self.draw(st.sampled_from(["f4", "f8"]))), coordinate=True)
        self.encoding[name] = {"_FillValue": None, **self._filters()}

    def data_variable(self, name: str, all_concat: bool = False) -> None:
        """Draw a data variable, over all concat dims or some."""
        dims = self._dims(all_concat)
        values, encoding = self._values(tuple(self.sizes[d] for d in dims))
        self._add(name, dims, values)
        self.encoding[name] = {**encoding, **(self._filters() if values.dtype.kind != "O" else {})}

    def data_variables(self) -> dict[str, Key]:
        """Draw data variables for each combination of merge keys; say where each belongs."""
        owners: dict[str, Key] = {}
        for owner in positions([d for d in self.dims if d.operation == "merge"]):
            for number in range(self.draw(small(2))):
                name = "_".join(["d" + "".join(str(p) for _, p in owner), str(number)])
                self.data_variable(name, all_concat=number == 0)
                owners[name] = owner
        if self.draw(st.booleans()):
            self.variables["crs"] = xr.Variable((), np.array(7, "i4"), {"grid_mapping_name": "latitude_longitude"})
        return owners

    def _values(self, shape: tuple[int, ...]) -> tuple[Any, dict[str, Any]]:
        kinds = ["f4", "f8", "i2", "i4", "bool", "text", "date", "packed", "masked"]
        kind = self.draw(st.sampled_from(kinds + (["u1", "i8"] if self.form.name == "NETCDF4" else [])))
        if kind in ("f4", "f8"):
            fill = self.draw(st.sampled_from([{}, {"_FillValue": None}, {"_FillValue": np.dtype(kind).type(-999)}]))
            return _floats(self.rng, shape, kind), fill
        if kind == "text":
            return np.array(TEXTS, "O")[self.rng.integers(0, len(TEXTS), (*shape, 1))][..., 0], {}
        if kind == "date":
            days = _axis_values("date", self.rng.integers(-9, 9, shape))
            return days, {"units": "days since 1990-01-01", "dtype": "i4", "calendar": "standard"}
        if kind == "packed":
            return self._packed(shape)
        if kind == "masked":
            raw = self.rng.integers(-3, 4, shape).astype("f4")
            return np.where(raw == -3, np.float32(np.nan), raw), {"dtype": "i2", "_FillValue": np.int16(-999)}
        dtype: Any = np.dtype(kind)
        low, high = (0, 1) if kind == "bool" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return self.rng.integers(low, high, shape, endpoint=True, dtype="i8").astype(dtype), {}

    def _packed(self, shape: tuple[int, ...]) -> tuple[Any, dict[str, Any]]:
        """Give decoded values that fall on packed ones, and their packing."""
        raw = self.rng.integers(-300, 300, shape)
        kind = self.draw(st.sampled_from([np.float64, np.float32]))
        scale, offset = (kind(v) for v in self.draw(st.sampled_from([(0.01, 0.0), (0.5, 273.15), (2.0, -5.0)])))
        values = np.where(raw % 7 == 0, np.nan, raw * float(scale) + float(offset))
        packing = {"dtype": self.draw(st.sampled_from(["i2", "i4"])), "scale_factor": scale, "add_offset": offset}
        return values, {**packing, "_FillValue": np.dtype(packing["dtype"]).type(-999)}

    def _filters(self) -> dict[str, Any]:
        if not self.form.chunked or not self.draw(st.booleans()):
            return {}
        shuffle, fletcher32 = self.draw(st.booleans()), self.draw(st.integers(0, 4)) == 0
        deflate = {"zlib": True, "complevel": 4} if self.draw(st.booleans()) else {}
        return {"chunked": True, **deflate, "shuffle": shuffle, "fletcher32": fletcher32}

    def _add(self, name: str, dims: tuple[str, ...], values: Any, coordinate: bool = False) -> None:
        self.variables[name] = xr.Variable(dims, np.asarray(values), self.draw(_attrs()))
        if coordinate:
            self.coords.append(name)

    def own_units(self, inputs: Mapping[Key, xr.Dataset]) -> dict[Key, dict[str, dict[str, Any]]]:
        """Let times count from each file's own beginning, where that was drawn."""
        own: dict[Key, dict[str, dict[str, Any]]] = {}
        for key, dataset in inputs.items():
            for name in self.varying:
                first = str(np.ravel(dataset[name].values)[0])[:10]
                own.setdefault(key, {})[name] = {"units": f"hours since {first}"}
        return own

    def _used(self) -> set[str]:
        """Name the dimensions that some variable of the files has, or gains."""
        return {str(d) for v in self.variables.values() for d in v.dims}

    def _is_packed(self, name: str) -> bool:
        return "scale_factor" in self.encoding.get(name, {})

    def store_options(self) -> StoreOptions:
        """Draw what the recipe asks of its store."""
        chunks = {
            d: self.draw(st.sampled_from([-1, *range(1, n + 1)]))
            for d, n in self.sizes.items()
            if d in self._used() and self.draw(st.booleans())
        }
        zarr_format = self.draw(st.sampled_from([3, 3, 2]))
        sharded = zarr_format == 3 and chunks and self.draw(st.booleans())
        shards = {d: c if c == -1 else c * self.draw(small(3)) for d, c in chunks.items()} if sharded else None
        wide = [
            n for n, v in self.variables.items() if n.startswith("d") and v.dtype == "f8" and not self._is_packed(n)
        ]
        encoding = {wide[0]: {"dtype": "float32"}} if wide and self.draw(st.booleans()) else {}
        return StoreOptions(chunks, shards, zarr_format, encoding, self.draw(st.sampled_from([{}, {"note": "baked"}])))


def _axis_values(kind: str, steps: Any) -> Any:
    """Turn whole-number steps into the values of a coordinate."""
    steps = np.asarray(steps)
    if kind == "date":
        return np.datetime64("2000-03-01", "ns") + steps.astype("m8[D]")
    if kind in ("noleap", "360_day"):
        units = "days since 2000-01-01"
        return np.asarray(cftime.num2date(steps + 60, units, calendar=kind, only_use_cftime_datetimes=True), "O")
    if kind == "text":
        return np.array([f"s{step:03d}" for step in steps], "O")
    return steps.astype("i4") if kind == "int" else steps / 4


def _floats(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Any:
    values = rng.standard_normal(shape).astype(dtype)
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).tiny, np.finfo(dtype).max], dtype)
    return np.where(rng.random(shape) < 0.3, odd[rng.integers(0, len(odd), shape)], values)


def _attrs() -> st.SearchStrategy[dict[str, Any]]:
    whole = st.integers(-(2**31), 2**31 - 1)
    number = st.floats(-1e6, 1e6, width=32)
    value = st.one_of(
        st.sampled_from(["m", "été", "a longer text\nof two lines"]),
        whole,
        number,
        st.lists(whole, min_size=2, max_size=3),
        st.lists(number, min_size=2, max_size=3),
    )
    return st.dictionaries(st.sampled_from(["long_name", "comment", "level", "Conventions2"]), value, max_size=3)
