"""VirtualiZarr: open_virtual_mfdataset, then kerchunk JSON or an Icechunk repository."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from common import arguments
from obspec_utils.registry import ObjectStoreRegistry
from obstore.store import LocalStore
from virtualizarr import open_virtual_dataset, open_virtual_mfdataset
from virtualizarr.parsers import HDFParser

COORDINATES = ["time", "lat", "lon"]


def main() -> None:
    """Parse all files and write what was found."""
    spec, output = arguments()
    urls = [f"file://{path}" for path in spec["files"]]
    ds = opened(urls, spec)
    if output.endswith(".json"):
        ds.vz.to_kerchunk(output, format="json")
    else:
        write_icechunk(ds, output, str(Path(spec["files"][0]).parent))


def opened(urls: list[str], spec: dict[str, Any]) -> Any:
    """Open one file, or many in some processes."""
    how = {"registry": ObjectStoreRegistry({"file://": LocalStore()}), "parser": HDFParser()}
    how["loadable_variables"] = COORDINATES
    if len(urls) == 1:
        return open_virtual_dataset(urls[0], **how)
    executor = partial(ProcessPoolExecutor, spec["processes"], mp_context=get_context("spawn"))
    return open_virtual_mfdataset(
        urls, combine="nested", concat_dim="time", coords="minimal", data_vars="minimal", compat="override",
        join="override", parallel=executor() if spec["processes"] > 1 else False, **how,
    )  # fmt: skip


def write_icechunk(ds: Any, output: str, inputs: str) -> None:
    """Commit the references to a new repository."""
    import icechunk

    config = icechunk.RepositoryConfig.default()
    container = icechunk.VirtualChunkContainer(f"file://{inputs}/", icechunk.local_filesystem_store(inputs))
    config.set_virtual_chunk_container(container)
    repo = icechunk.Repository.create(icechunk.local_filesystem_storage(output), config)
    session = repo.writable_session("main")
    ds.vz.to_icechunk(session.store)
    session.commit("References")


if __name__ == "__main__":
    main()
