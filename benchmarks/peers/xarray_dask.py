"""xarray: open_mfdataset, then to_zarr, on dask's threads or on a local cluster of two processes."""

from __future__ import annotations

from common import arguments, encoding, object_steps, open_all, use_zarrs, without_encoding


def main() -> None:
    """Open everything and write it."""
    import dask

    spec, output = arguments()
    if spec["scheduler"] == "distributed":
        from dask.distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            client.run(use_zarrs)
            write(spec, output)
    else:
        with dask.config.set(scheduler="threads", num_workers=2):
            write(spec, output)


def write(spec: dict, output: str) -> None:
    """Chunk the inputs as objects are, so that no two tasks write one object."""
    use_zarrs()
    ds = without_encoding(open_all(spec, {"time": min(object_steps(spec), spec["steps"])}))
    ds = ds.chunk(time=object_steps(spec))
    if spec.get("append"):
        ds.to_zarr(output, append_dim="time", consolidated=True)
        return
    if region := spec.get("region"):
        ds.drop_vars(["lat", "lon"]).to_zarr(output, region={"time": slice(*region)})
        return
    ds.to_zarr(output, encoding=encoding(ds, spec), zarr_format=3, consolidated=True)


if __name__ == "__main__":
    main()
