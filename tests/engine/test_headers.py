"""The reader of headers gives what xarray's own engine gives, or leaves the file to it."""

from __future__ import annotations

import ctypes
import io
import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import netCDF4
import numpy as np
import pytest
import xarray as xr

from bakehouse.errors import SourceError
from bakehouse.openers import opened
from bakehouse.openers.describe import describe
from bakehouse.openers.hdf5 import known
from bakehouse.openers.hdf5.known import header_of, raw_group
from bakehouse.openers.hdf5.layout import Bytes, OddError
from bakehouse.openers.hdf5.written import read_written, write_header
from bakehouse.openers.opened import Opened, close_all, open_raw
from bakehouse.openers.raw import readable
from bakehouse.openers.xarray import open_dataset
from bakehouse.storage import make_source

USED = ("dtype", "chunksizes", "preferred_chunks", "contiguous", "original_shape", "zlib", "complevel", "shuffle")
RNG = np.random.default_rng(0)


def classic(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createDimension("lat", 3)
        file.createDimension("nv", 2)
        time = file.createVariable("time", "f8", ("time",))
        time.setncatts({"units": "days since 2000-01-01", "calendar": "noleap", "bounds": "time_bnds"})
        file.createVariable("time_bnds", "f8", ("time", "nv"))[:4] = RNG.random((4, 2))
        time[:] = np.arange(4)
        file.createVariable("lat", "f4", ("lat",))[:] = [1, 2, 3]
        sst = file.createVariable("sst", "i2", ("time", "lat"), zlib=True, fill_value=-999, chunksizes=(2, 3))
        sst.setncatts({"scale_factor": 0.5, "add_offset": np.float32(3), "valid_range": np.array([1, 2], "i2")})
        sst[:] = RNG.random((4, 3))
        file.createVariable("crs", "i4", ())
        file.setncatts({"title": "Zürich", "levels": [1.5, 2.5], "one": [7], "empty": "", "flag": np.int8(3)})


def short(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createDimension("x", 2)
        file.createVariable("time", "i4", ("time",))[:] = [5]
        file.createVariable("long", "f4", ("time", "x"))[:] = RNG.random((6, 2))
        file.createVariable("none", "f4", ("time", "x"), fill_value=-1.0)
        file.createVariable("two", "i2", ("time",), fill_value=9)[:2] = [1, 2]


def short_text(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", None)
        file.createVariable("v", "f4", ("time",))[:] = RNG.random(6)
        file.createVariable("label", str, ("time",))[0] = "a"


def texts(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("station", 3)
        file.createDimension("strlen", 5)
        file.createVariable("station", str, ("station",))[:] = np.array(["a", "bé", "c"], dtype=object)
        chars = file.createVariable("code", "S1", ("station", "strlen"))
        chars._Encoding = "utf-8"
        chars[:] = np.array(["ab", "cde", "fghij"])
        file.setncattr_string("listed", ["one", "two"])
        file.setncattr_string("alone", ["one"])
        file.setncattr("latin", b"t\xe9")


def nested(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", 2)
        file.createDimension("x", 3)
        file.createVariable("x", "f4", ("x",))[:] = [1, 2, 3]
        group = file.createGroup("a/b")
        group.createDimension("time", 4)
        group.createVariable("v", "f4", ("time", "x"))[:] = RNG.random((4, 3))
        group.createVariable("time", "f4", ("time",))[:] = np.arange(4)
        group.title = "inner"
        file.createVariable("w", "f4", ("time",))[:] = 1


def many_dims(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("y", 2), ("x", 2), ("z", 2), ("bare", 2), ("free", None)):
            file.createDimension(name, size)
        file.createVariable("y", "f4", ("y", "x"))[:] = RNG.random((2, 2))
        file.createVariable("v", "f4", ("z", "y", "x", "bare"))[:] = RNG.random((2, 2, 2, 2))
        file.createVariable("s", "f8", ())[...] = 3.5


def clash(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", 2)
        file.createDimension("y", 2)
        file.createVariable("x", "f4", ("y",))[:] = [1, 2]


def enums(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        kind = file.createEnumType("u1", "cloud", {"clear": 0, "cumulus": 1})
        file.createDimension("x", 2)
        file.createVariable("sky", kind, ("x",), fill_value=0)[:] = [0, 1]


def compound(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        kind = file.createCompoundType(np.dtype([("re", "f4"), ("im", "f4")]), "number")
        file.createDimension("x", 2)
        file.createVariable("z", kind, ("x",))
        file.createVariable("v", "f4", ("x",))[:] = [1, 2]


def ragged(path: Path) -> None:
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", 2)
        file.createVariable("v", file.createVLType("i4", "list"), ("x",))[0] = np.arange(3, dtype="i4")


def by_h5netcdf(path: Path) -> None:
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"time": None, "x": 3}
        file.resize_dimension("time", 4)
        made = file.create_variable("v", ("time", "x"), ">f4", chunks=(1, 3), compression="gzip", fletcher32=True)
        made[:] = RNG.random((4, 3))
        made.attrs["units"] = "K"
        made.attrs["grid"] = np.arange(6).reshape(2, 3)
        file.create_variable("time", ("time",), "i8", data=np.arange(4))
        file.create_variable("name", ("x",), h5py.string_dtype(), data=np.array(["a", "b", "c"], dtype=object))


def by_h5netcdf_bool(path: Path) -> None:
    with h5netcdf.File(path, "w", invalid_netcdf=True) as file:
        file.dimensions = {"x": 3}
        file.create_variable("mask", ("x",), bool, data=[True, False, True])


def by_xarray(path: Path) -> None:
    xr.Dataset(
        {"t": (("y", "x"), RNG.random((2, 3)), {"units": "K"}), "n": ((), 3)},
        {"x": [1, 2, 3], "label": ("y", ["north", "south"])},
        {"history": "made", "numbers": np.array([1.0]), "none": np.array([], "f4")},
    ).to_netcdf(path, engine="h5netcdf")


def by_xarray_bool(path: Path) -> None:
    xr.Dataset({"flag": ("x", [True, False, True])}).to_netcdf(path, engine="h5netcdf")


def by_xarray_text(path: Path) -> None:
    fixed = xr.Dataset({"v": ("s", [1.0, 2.0])}, {"s": np.array(["ab", "c"], dtype="S2")})
    fixed.to_netcdf(path, engine="netcdf4")


def bare_h5py(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["v"] = RNG.random((2, 3))


def scaled_h5py(path: Path) -> None:
    with h5py.File(path, "w", track_order=True) as file:
        for name in ("x", "y"):
            file[name] = np.arange(3.0)
            file[name].make_scale(name)
        file["b"] = RNG.random((3,)).astype(">f8")
        file["a"] = RNG.random((3, 3))
        file["b"].dims[0].attach_scale(file["x"])
        for dim, name in zip(file["a"].dims, ("x", "y"), strict=True):
            dim.attach_scale(file[name])
        held = file["a"].attrs
        held["empty"], held["blank"] = h5py.Empty("f4"), h5py.Empty("S1")
        held["scalar"], held["listed"], held["boxed"] = np.float32(1), np.array([1.0, 2.0]), np.array([[5]])
        held["bytes"], held["texts"] = np.bytes_(b"caf\xc3\xa9"), np.array([b"a", b"bc"])
        held["odd"], held["chars"] = np.bytes_(b"\xff\xfe"), np.array([b"a", b"b"])
        held["yes"], held["grid"] = True, np.array([["a", "b"], ["c", "d"]], dtype=h5py.string_dtype())
        held["_FillValue"] = np.float64(-1)


def twice_scaled(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3.0)
        file["x"].make_scale("x")
        file["covariance"] = RNG.random((3, 3))
        for dim in file["covariance"].dims:
            dim.attach_scale(file["x"])


def half_scaled(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3.0)
        file["x"].make_scale("x")
        file["a"] = RNG.random((3, 3))
        file["a"].dims[0].attach_scale(file["x"])


def linked(path: Path) -> None:
    scaled_h5py(path.with_name("other.h5"))
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3.0)
        file["x"].make_scale("x")
        file["same"] = h5py.SoftLink("/x")
        file["far"] = h5py.ExternalLink("other.h5", "/b")


def nothing(path: Path) -> None:
    h5netcdf.File(path, "w").close()


def few_bits(path: Path) -> None:
    kind = h5py.h5t.STD_I16LE.copy()
    kind.set_precision(12)
    created(path, kind, (2, 3), np.arange(-1000, -994).reshape(2, 3))


def unfiltered_edges(path: Path) -> None:
    created(path, h5py.h5t.STD_I16LE, (2, 2), np.arange(6).reshape(2, 3), leave_edges)


def created(
    path: Path, kind: Any, chunks: tuple[int, ...], values: Any, more: Callable[[Any], None] | None = None
) -> None:
    with h5py.File(path, "w", libver="latest" if more else None) as file:
        asked = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        asked.set_chunk(chunks)
        asked.set_shuffle()
        if more:
            more(asked)
        made = h5py.h5d.create(file.id, b"v", kind, h5py.h5s.create_simple(values.shape), asked)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values.astype("i2"))
        for i, n in enumerate(values.shape):
            file[f"d{i}"] = np.arange(float(n))
            file[f"d{i}"].make_scale(f"d{i}")
            file["v"].dims[i].attach_scale(file[f"d{i}"])


def leave_edges(asked: Any) -> None:
    """Have chunks that the end cuts stored without filters, which h5py has no word for."""
    maps = Path("/proc/self/maps")
    held = {line.split()[-1] for line in maps.read_text().splitlines()} if maps.exists() else set()
    found = [path for path in held if re.search(r"h5py.*/libhdf5[-.]", path)]
    if not found:
        pytest.skip("needs to find h5py's HDF5 library in /proc/self/maps")
    ask = ctypes.CDLL(found[0]).H5Pset_chunk_opts
    ask.argtypes = [ctypes.c_int64, ctypes.c_uint]
    assert ask(asked.id, 2) >= 0


LEAN = [
    few_bits,
    unfiltered_edges,
    classic,
    short,
    texts,
    many_dims,
    by_h5netcdf,
    by_xarray,
    by_xarray_text,
    scaled_h5py,
    nothing,
    nested,
]
LEFT = [short_text, clash, enums, compound, ragged, by_h5netcdf_bool, by_xarray_bool, bare_h5py, half_scaled, linked]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [*LEAN, *LEFT, twice_scaled], ids=lambda f: f.__name__)
def test_what_xarray_gives(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "a.nc")
    assert_as_xarray(tmp_path / "a.nc")


@pytest.mark.parametrize("write", LEAN, ids=lambda f: f.__name__)
def test_what_is_read_without_the_library(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "a.nc")
    assert raw_group(make_source(str(tmp_path / "a.nc"), {}, {}).identified(), "") is not None


@pytest.mark.parametrize(("write", "reason"), [(few_bits, "another precision"), (unfiltered_edges, "without filters")])
def test_numbers_that_only_the_library_knows_to_read(write: Any, reason: str, tmp_path: Path) -> None:
    for name in ("a.nc", "b.nc"):  # the second is of the first one's kind
        write(tmp_path / name)
        header = header_of(make_source(str(tmp_path / name), {}, {}).identified(), "")
        assert header is not None and reason in str(header.variables["v"].manifest)


def test_regions_of_what_is_shorter_than_its_dimension(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name, size in (("time", None), ("y", 4), ("x", 4)):
            file.createDimension(name, size)
        file.createVariable("long", "f4", ("time",))[:] = np.arange(6)
        file.createVariable("v", "f4", ("time", "y", "x"), fill_value=-1)[:3] = np.arange(48).reshape(3, 4, 4)
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf", decode_cf=False) as file:
        expected = file.load()
    found = open_raw(Opened(make_source(str(tmp_path / "a.nc"), {}, {}).identified(), "h5netcdf")).variables["v"]
    for key in [
        {"time": 0, "x": [0, 2, 3, 1]}, {"time": 5, "x": [3, 1]}, {"time": [4, 1, 2], "y": 2},
        {"time": slice(1, None, 2)}, {"time": slice(None, None, -1), "x": 1}, {"time": slice(3, 6)},
    ]:  # fmt: skip
        np.testing.assert_array_equal(found.isel(key).values, expected.v.isel(key).values)


def test_groups(tmp_path: Path) -> None:
    nested(tmp_path / "a.nc")
    for group in ("a/b", "/a/b/", "a"):
        assert_as_xarray(tmp_path / "a.nc", group=group)
    assert raw_group(make_source(str(tmp_path / "a.nc"), {}, {}).identified(), "a/b") is not None


@pytest.mark.parametrize("write", LEAN, ids=lambda f: f.__name__)
def test_what_it_decodes_to(tmp_path: Path, write: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.nc")
    source = make_source(str(tmp_path / "a.nc"), {}, {}).identified()
    found = open_dataset(source)
    mine = describe(found, source.url, source.identity, {"time": "concat"})
    close_all()
    monkeypatch.setattr(opened, "raw_group", lambda source, group: None)
    expected = open_dataset(source)
    xr.testing.assert_identical(found, expected)
    assert {n: v.dtype for n, v in found.variables.items()} == {n: v.dtype for n, v in expected.variables.items()}
    assert mine == describe(expected, source.url, source.identity, {"time": "concat"})


def assert_as_xarray(path: Path, **kwargs: Any) -> None:
    """Compare with xarray's own engine: values, attributes and their types, and the encoding in use."""
    source = make_source(str(path), {}, {}).identified()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = xr.open_dataset(path, engine="h5netcdf", decode_cf=False, **kwargs)
        except (ValueError, KeyError) as error:
            with pytest.raises(Exception, match=re.escape(str(error).splitlines()[0][:20])):
                open_raw(Opened(source, "h5netcdf", kwargs))
            return
        found = open_raw(Opened(source, "h5netcdf", kwargs))
    assert list(found.variables) == list(expected.variables)
    assert found.coords == set(expected.coords)
    assert found.encoding["unlimited_dims"] == expected.encoding["unlimited_dims"]
    assert shown(found.attrs) == shown(expected.attrs)
    for name, variable in expected.variables.items():
        mine = found.variables[name]
        assert (mine.dims, mine.shape) == (variable.dims, variable.shape), name
        assert shown(mine.attrs) == shown(variable.attrs), name
        assert [mine.encoding.get(key) for key in USED] == [variable.encoding.get(key) for key in USED], name
        np.testing.assert_array_equal(mine.values, variable.values)
        assert (mine.dtype, mine.dtype.metadata) == (variable.dtype, variable.dtype.metadata), name


def shown(attrs: dict[str, Any]) -> list[Any]:
    """Show attributes with their types, in order."""
    return [(n, type(v), getattr(v, "dtype", None), repr(v)) for n, v in ((n, readable(v)) for n, v in attrs.items())]


ASKED = [
    *((write, {}) for write in [*LEAN, *LEFT]),
    *((classic, asked) for asked in ({"decode_coords": "all"}, {"decode_cf": False}, {"mask_and_scale": False})),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("write", "kwargs"), ASKED, ids=lambda held: "".join(held) if isinstance(held, dict) else held.__name__
)
def test_files_of_one_form_decode_to_their_own_values(
    tmp_path: Path, write: Callable[[Path], None], kwargs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "x.nc")
    with h5py.File(tmp_path / "b/x.nc", "a") as file:
        for name in ("time", "x", "lat"):
            if isinstance(held := file.get(name), h5py.Dataset) and held.dtype.kind in "if":
                held[...] = held[...] + 1
    sources = [make_source(str(tmp_path / name / "x.nc"), {}, {}).identified() for name in ("a", "b")]
    try:
        first, found = [open_dataset(source, open_kwargs=kwargs) for source in sources]
    except SourceError:
        return
    monkeypatch.setattr(opened, "raw_group", lambda source, group: None)
    for source, mine in zip(sources, (first, found), strict=True):
        expected = open_dataset(source, open_kwargs=kwargs)
        xr.testing.assert_identical(mine, expected)
        assert list(mine.variables) == list(expected.variables)
        for name, variable in expected.variables.items():
            assert mine[name].dtype == variable.dtype
            same = {k for k in variable.encoding if k in (*USED, "units", "_FillValue", "coordinates", "bounds")}
            assert {k: repr(mine[name].encoding.get(k)) for k in same} == {
                k: repr(variable.encoding[k]) for k in same
            }, name
        assert describe(mine, source.url, source.identity, {"time": "concat"}) == describe(
            expected, source.url, source.identity, {"time": "concat"}
        )


@pytest.mark.parametrize("write", LEAN, ids=lambda f: f.__name__)
def test_a_header_that_was_written_down_is_the_same(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "a.nc")
    header = header_of(make_source(str(tmp_path / "a.nc"), {}, {}).identified(), "")
    assert header is not None
    back = read_written(*write_header(header))
    assert (back.unlimited, shown(back.attrs)) == (header.unlimited, shown(header.attrs))
    assert list(back.variables) == list(header.variables)
    for name, was in header.variables.items():
        now = back.variables[name]
        assert (now.dims, now.shape, now.dtype) == (was.dims, was.shape, was.dtype)
        assert shown(now.attrs) == shown(was.attrs)
        assert now.encoding == was.encoding
        np.testing.assert_equal(now.values, was.values)
        assert placed(now.manifest) == placed(was.manifest)


ALIKE = [classic, short, by_h5netcdf, by_xarray, many_dims, scaled_h5py]


def another(write: Callable[[Path], None], path: Path) -> None:
    """Write a file like another, with values, and so chunks, of its own."""
    write(path)
    with h5py.File(path, "a") as file:
        for held in file.values():
            if isinstance(held, h5py.Dataset) and held.dtype.kind in "if" and held.size:
                held[...] = held[...] + RNG.integers(1, 9)


def as_written(path: Path) -> tuple[str, bytes]:
    header = header_of(make_source(str(path), {}, {}).identified(), "")
    assert header is not None
    return write_header(header)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """List the files whose headers the library reads."""
    found: list[Path] = []
    read = known._whole
    monkeypatch.setattr(known, "_whole", lambda source, *rest: found.append(Path(source.path)) or read(source, *rest))
    close_all()
    return found


@pytest.mark.parametrize("write", ALIKE, ids=lambda f: f.__name__)
def test_a_header_in_the_bytes_of_another_is_what_the_library_reads(
    tmp_path: Path, write: Callable[[Path], None], whole: list[Path]
) -> None:
    paths = [tmp_path / f"{i}.nc" for i in range(4)]
    write(paths[0])
    for path in paths[1:]:
        another(write, path)
    found = [as_written(path) for path in paths]
    if write in (classic, short):
        assert len(set(whole)) < len(paths)
    for path, mine in zip(paths, found, strict=True):
        close_all()
        assert mine == as_written(path)
        assert_as_xarray(path)


def test_a_file_that_says_something_else_is_read_for_itself(tmp_path: Path, whole: list[Path]) -> None:
    def changed(number: int, change: Callable[[h5py.File], None]) -> Path:
        path = tmp_path / f"{number}.nc"
        classic(path)
        with h5py.File(path, "a") as file:
            change(file)
        return path

    def renamed(file: h5py.File) -> None:
        file.attrs["title"] = "another"

    def scaled(file: h5py.File) -> None:
        file["sst"].attrs["scale_factor"] = 3.5

    paths = [changed(i, change) for i, change in enumerate([lambda file: None, renamed, scaled])]
    for path in paths:
        as_written(path)
        assert_as_xarray(path)
    assert whole == paths


def test_a_file_that_ends_too_early_is_refused_though_its_header_is_known(tmp_path: Path, whole: list[Path]) -> None:
    for name in "ab":
        classic(tmp_path / f"{name}.nc")
    cut = tmp_path / "b.nc"
    as_written(tmp_path / "a.nc")
    cut.write_bytes(cut.read_bytes()[:-8])
    with pytest.raises(SourceError, match="truncated"):
        open_dataset(make_source(str(cut), {}, {}).identified())


def test_structures_that_lead_back_to_themselves_are_left_to_the_library() -> None:
    continued = struct.pack("<BHB", 0x10, 16, 0) + struct.pack("<QQ", 256, 4 + 20 + 4)
    block = b"OCHK" + continued + b"sum."
    header = b"OHDR\x02\x00" + bytes([len(continued)]) + continued + b"sum."
    with pytest.raises(OddError, match="very many blocks"):
        list(Bytes(io.BytesIO(header.ljust(256, b"\0") + block)).messages(0))
    entry = struct.pack("<IIQQQ", 0, 0, 0, 0, 0)
    tree = b"TREE\x01" + struct.pack("<BHQQ", 1, 2, 0, 0) + 2 * entry
    with pytest.raises(OddError, match="comes to 0 twice"):
        list(Bytes(io.BytesIO(tree)).chunks(0, 1))


def placed(manifest: Any) -> Any:
    """Show a manifest whole."""
    if isinstance(manifest, str):
        return manifest
    return {k: v.str if isinstance(v, np.dtype) else repr(np.asarray(v).tolist()) for k, v in vars(manifest).items()}
