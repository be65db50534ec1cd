"""What inputs' headers said, kept beside a target from run to run, by address and identity.

A survey is a folder of Parquet files, each written once under a name of its own, so that workers and runs may add to it
at the same time. What can't be read, or is not what its checksum says, counts for nothing: the file's header is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from bakehouse.errors import StorageError
from bakehouse.openers.hdf5 import known_header, remember
from bakehouse.openers.hdf5.written import UnwritableError, read_written, write_header
from bakehouse.schema import Identity
from bakehouse.storage import Source, Target
from bakehouse.storage.identity import compare, is_weak
from bakehouse.storage.tables import read_table

COLUMNS = ("key", "identity", "form", "own", "check", "at")


@dataclass(frozen=True)
class Row:
    """One input: its address and group by digest, its identity as JSON, its header in two parts, a checksum, when."""

    key: str
    identity: str
    form: str
    own: bytes
    check: bytes
    at: float

    @classmethod
    def of(cls, key: str, identity: str, form: str, own: bytes) -> Row:
        """Make a row of now."""
        return cls(key, identity, form, own, _check(key, identity, form, own), time.time())

    @property
    def is_sound(self) -> bool:
        """Say whether it is as it was written."""
        return self.check == _check(self.key, self.identity, self.form, self.own)


@dataclass(frozen=True)
class Survey:
    """The survey of one recipe's inputs, by this state of the engine.

    Parameters
    ----------
    beside
        The folder of all surveys.
    """

    beside: Target
    told: set[str] = field(default_factory=set, compare=False)

    @property
    def folder(self) -> Target:
        """Give the folder of what this state of the engine wrote."""
        return self.beside.child(engine_state())

    @cached_property
    def rows(self) -> dict[str, Row]:
        """Read what is there, once: the latest of each input."""
        return {row.key: row for row in sorted(self._read(self._names()), key=lambda row: row.at)}

    def recall(self, sources: Iterable[Source], group: str) -> None:
        """Let this process know the headers of identified inputs that are still what they were."""
        for source in sources:
            key = key_of(source, group)
            row = self.rows.get(key)
            if row and not is_weak(source.held) and known_header(source, group) is None:
                with suppress(Exception):  # whatever is wrong with what was kept, the file says it again
                    if compare(Identity(**json.loads(row.identity)), source.held)[0] is False and row.is_sound:
                        remember(source, group, read_written(row.form, row.own))
                        self.told.add(key)

    def keep(self, sources: Iterable[Source], group: str) -> None:
        """Add the headers that this process has read; a survey that can't be written costs no run."""
        if rows := [row for source in sources if (row := self._row(source, group))]:
            with suppress(StorageError):
                self.folder.put(f"{uuid.uuid4().hex}.parquet", _table(rows))

    def merge(self) -> None:
        """Put what many workers have added into one file."""
        with suppress(StorageError):
            names = self._names()
            if len(names) > 1:
                latest = {row.key: row for row in sorted(self._read(names), key=lambda row: row.at)}
                self.folder.put(f"{uuid.uuid4().hex}.parquet", _table(list(latest.values())))
                self.folder.delete(names)

    def _row(self, source: Source, group: str) -> Row | None:
        header, key = known_header(source, group), key_of(source, group)
        if header is None or key in self.told or is_weak(source.held):
            return None
        try:
            return Row.of(key, json.dumps(asdict(source.held), sort_keys=True), *write_header(header))
        except UnwritableError:
            return None

    def _names(self) -> list[str]:
        try:
            return sorted(name for name, _ in self.folder.list() if name.endswith(".parquet"))
        except StorageError:
            return []

    def _read(self, names: Iterable[str]) -> Iterator[Row]:
        for name in names:
            with suppress(Exception):  # a file that is cut, garbled, or gone because another run has merged it
                yield from _rows(self.folder.get(name) or b"")


_surveys: dict[tuple[str, str], Survey] = {}


def survey_at(beside: Target, run_id: str) -> Survey:
    """Give the survey that lies in a folder, read once per process and run."""
    key = (beside.url, run_id)
    if key not in _surveys:
        _surveys.clear()
        _surveys[key] = Survey(beside)
    return _surveys[key]


def key_of(source: Source, group: str) -> str:
    """Name an input and a group in it; a mirror's files have their own, secrets in a query string don't count."""
    said = f"{source.url}\n{source.location.partition('?')[0]}\n{group}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


@cache
def engine_state() -> str:
    """Name the state of the code that reads headers, so that another release never trusts what this one kept."""
    import h5py

    here = Path(__file__).parent
    files = [*sorted((here / "hdf5").glob("*.py")), here / "raw.py", here.parent / "manifests.py", Path(__file__)]
    hasher = hashlib.sha256(h5py.__version__.encode())
    for path in files:
        hasher.update(path.read_bytes())
    return hasher.hexdigest()[:16]


def _check(key: str, identity: str, form: str, own: bytes) -> bytes:
    hasher = hashlib.blake2b(digest_size=16)
    for part in (key.encode(), identity.encode(), form.encode(), own):
        hasher.update(len(part).to_bytes(8, "little") + part)
    return hasher.digest()


def _table(rows: list[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    columns["form"] = pa.array(columns["form"]).dictionary_encode()
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    return buffer.getvalue()


def _rows(data: bytes) -> list[Row]:
    """Read a file; what rows have in common is one object for all of them."""
    table = read_table(data, read_dictionary=["form"]).combine_chunks()
    form = table.column("form").combine_chunks()
    texts = form.dictionary.to_pylist()
    columns = {name: table.column(name).to_pylist() for name in COLUMNS if name != "form"}
    columns["form"] = [texts[i] for i in form.indices.to_pylist()]
    return [Row(*each) for each in zip(*(columns[name] for name in COLUMNS), strict=True)]
