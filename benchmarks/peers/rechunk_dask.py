"""xarray and dask: open_mfdataset, chunk, to_zarr; on threads, or peer to peer on a local cluster of two processes."""

from __future__ import annotations

import dask
from common import arguments, encoding, open_all, use_zarrs, without_encoding


def main() -> None:
    """Open, rechunk and write."""
    spec, output = arguments()
    if spec["scheduler"] == "threads":
        with dask.config.set(scheduler="threads", num_workers=2):
            return write(spec, output)
    from dask.distributed import Client, LocalCluster

    where = {"local_directory": spec["scratch"], "dashboard_address": None}
    with (
        dask.config.set({"array.rechunk.method": "p2p"}),
        LocalCluster(n_workers=2, threads_per_worker=1, **where) as cluster,
        Client(cluster) as client,
    ):
        client.run(use_zarrs)
        write(spec, output)


def write(spec: dict, output: str) -> None:
    """Write series."""
    use_zarrs()
    ds = without_encoding(open_all(spec, {"time": spec["steps"]}))
    ds = ds.chunk(time=-1, lat=spec["tile"], lon=spec["tile"])
    ds.to_zarr(output, encoding=encoding(ds, spec), zarr_format=3, consolidated=True)


if __name__ == "__main__":
    main()
