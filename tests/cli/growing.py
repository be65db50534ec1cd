"""A project whose feedstock, in YAML alone, reads files from a server on loopback; more files come with time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from bakehouse.catalog.entry import Entry
from tests.bake.kitchen import whole
from tests.cli.projects import ABOUT, Project
from tests.plan.samples import sea
from tests.support.http import Server, serve

RECIPE = """\
recipes:
  - id: sea
    recipe: files_to_zarr
    with:
      pattern: {{url: "{url}/{{time}}.nc", concat: {{time: {{keys: {days}, nitems_per_file: 2}}}}}}
      store: {{chunks: {{time: 2, lat: 1}}, shards: false}}
"""


@dataclass(frozen=True)
class Growing:
    """The project and the server of its inputs, which are named by their first day and hold two days each."""

    project: Project
    server: Server

    def write(self, *days: int, warmer: float = 0) -> None:
        """Put files on the server; a file that is there is replaced."""
        for day in days:
            path = self.server.folder / f"{day}.nc"
            path.unlink(missing_ok=True)
            dataset = sea(day, 2)
            dataset.assign(sst=dataset.sst + warmer).assign_attrs(dataset.attrs).to_netcdf(path, engine="h5netcdf")

    def touch(self, day: int) -> None:
        """Replace a file by one with the same content."""
        stat = (self.server.folder / f"{day}.nc").stat()
        os.utime(self.server.folder / f"{day}.nc", ns=(stat.st_atime_ns, stat.st_mtime_ns + 10**9))

    def say(self, *days: int, name: str = "sea") -> None:
        """Let meta.yaml name files."""
        folder = self.project.root / "feedstocks" / name
        folder.mkdir(exist_ok=True)
        (folder / "meta.yaml").write_text(ABOUT + RECIPE.format(url=self.server.url, days=list(days)))

    def grow(self, *days: int) -> None:
        """Put files on the server after the first three, and name them."""
        self.write(*days)
        self.say(0, 2, 4, *days)

    def run(self, *words: str, exit_code: int = 0) -> str:
        """Run a command; give what it prints."""
        result = self.project.run(*words)
        assert result.exit_code == exit_code, result.output
        return result.stdout

    def document(self, *words: str, exit_code: int = 0) -> Any:
        """Run a command on the one recipe; give what its document says of it."""
        (found,) = self.project.document(*words, exit_code=exit_code)["recipes"]
        return found

    @property
    def entry_path(self) -> Path:
        """Give the entry's file."""
        return self.project.catalog / "sea" / "sea.json"

    @property
    def entry(self) -> Entry:
        """Read the entry."""
        return Entry.from_json(self.entry_path.read_bytes())

    def opened(self) -> xr.Dataset:
        """Read the store that the entry names."""
        return xr.open_zarr(self.entry.store.url, chunks=None).load()

    def expected(self) -> xr.Dataset:
        """Combine the files on the server as xarray does."""
        return whole(self.server.folder)


@contextmanager
def growing(project: Project, folder: Path) -> Iterator[Growing]:
    """Serve three files, and name them in a feedstock that replaces the project's sample."""
    folder.mkdir()
    (project.root / "feedstocks" / "seasons" / "meta.yaml").unlink()
    (project.root / "feedstocks" / "seasons").rmdir()
    with serve(folder) as server:
        made = Growing(project, server)
        made.write(0, 2, 4)
        made.say(0, 2, 4)
        yield made
