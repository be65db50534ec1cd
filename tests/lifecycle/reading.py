"""A small sea whose values say where they belong, and readers that insist on them. Nothing here imports Bakehouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.storage import ObjectStore


def days(start: int, steps: int, shift: float = 0) -> xr.Dataset:
    """Make some days of a small sea; each value says which day and place it is of."""
    time = np.datetime64("2001-01-01", "ns") + np.arange(start, start + steps) * np.timedelta64(1, "D")
    units = {"units": "days since 2001-01-01", "dtype": "int64"}
    return xr.Dataset(
        {"sst": (("time", "lat", "lon"), day_values(start, steps, shift), {"units": "K"})},
        {"time": ("time", time, {}, units), "lat": [10.0, 20.0], "lon": [0.0, 90.0, 180.0]},
    )


def day_values(start: int, steps: int, shift: float = 0) -> Any:
    """Give the values of some days."""
    return (np.arange(start * 6, (start + steps) * 6).reshape(steps, 2, 3) + shift).astype("f4")


def insist_right(times: Any, values: Any, start: int = 0) -> None:
    """Every value is that of its day."""
    wanted = days(0, len(times)).time.values[start:]
    assert (np.asarray(times)[start:] == wanted).all(), f"times {np.asarray(times)[-5:]}"
    wrong = np.argwhere(np.asarray(values)[start:] != day_values(0, len(values))[start:])
    assert not len(wrong), f"wrong at {wrong[0]} of {len(values)}: {values[tuple(wrong[0])]}"


def look_consolidated(opened: Callable[[], Any]) -> tuple[int, int]:
    """Look as xarray does by default: all arrays have one length."""
    with xr.open_zarr(opened(), consolidated=True, chunks=None) as dataset:
        insist_right(dataset.time.values, dataset.sst.values)
        return dataset.sizes["time"], dataset.sizes["time"]


def look_at_arrays(opened: Callable[[], Any]) -> tuple[int, int]:
    """Look at each array by its own document: lengths may differ for a moment, values must not."""
    store = opened()
    sst, time = (zarr.open_array(store, path=name, mode="r") for name in ("sst", "time"))
    values, times = sst[:], time[:]
    insist_right(days(0, len(values)).time.values, values)
    assert (times == np.arange(len(times))).all(), times[-5:]
    return len(times), len(values)


def held(store: Any, consolidated: bool = True) -> xr.Dataset:
    """Open a store so that every look at its values reads them."""
    return xr.open_dataset(store, engine="zarr", chunks=None, cache=False, consolidated=consolidated)


def keep_looking(opened: Callable[[], Any], until: Callable[[], bool]) -> dict[str, Any]:
    """Look again and again; a reader who keeps a store open for long reads from it all the time."""
    seen: set[tuple[int, int]] = set()
    looks = 0
    with held(opened()) as old:
        while True:
            last = until()
            consolidated = look_consolidated(opened)
            assert consolidated[0] == consolidated[1]
            seen |= {consolidated, look_at_arrays(opened)}
            insist_right(old.time.values, old.sst.values)
            looks += 1
            if last:
                return {"looks": looks, "lengths": sorted({n for pair in seen for n in pair})}


def on_disk(path: str) -> Callable[[], Any]:
    return lambda: path


def on_s3(endpoint: str, url: str, key: str, secret: str) -> Callable[[], Any]:
    """Open with obstore, anew each time."""
    from obstore.store import S3Store

    return lambda: ObjectStore(
        S3Store.from_url(
            url, endpoint=endpoint, access_key_id=key, secret_access_key=secret, region="us-east-1",
            virtual_hosted_style_request=False, client_options={"allow_http": True},
        ),
        read_only=True,
    )  # fmt: skip
