"""Byte ranges of sources, one by one or in groups as manifests ask for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bakehouse.chunks import Span
from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage.foreseen import coalesced
from bakehouse.storage.identity import checked, fsspec_identity, insist_unchanged
from bakehouse.storage.range_file import RangeFile
from bakehouse.storage.remote import needs_fsspec

if TYPE_CHECKING:
    from bakehouse.storage.source import Source


def read_ranges(source: Source, ranges: list[Span]) -> list[Any]:
    """Read byte ranges of a source; neighbours are fetched in one request.

    Raises
    ------
    SourceError
        If the source can't be read, or gives fewer bytes than asked for.
    """
    if source.is_local:
        return list(each_range(source, ranges))
    found = checked(source, lambda: _ranges(source, ranges)) if ranges else []
    for span, data in zip(ranges, found, strict=True):
        _insist_whole(source, span, data)
    return found


def each_range(source: Source, ranges: list[Span]) -> Iterator[Any]:
    """Read byte ranges one after the other: of a local file each is read when it is asked for, and may be let go then.

    The file is open from the first to the last of them.

    Raises
    ------
    SourceError
        If the source can't be read, or gives fewer bytes than asked for.
    """
    if not source.is_local:
        yield from read_ranges(source, ranges)
        return
    if not ranges:
        return
    with checked(source, lambda: open_local(source)) as file:
        for span in ranges[:-1]:
            yield _read_range(source, file, span)
        last = _read_range(source, file, ranges[-1])
    yield last


def _read_range(source: Source, file: Any, span: Span) -> bytes:
    data: bytes = checked(source, lambda: os.pread(file.fileno(), span[1] - span[0], span[0]))
    _insist_whole(source, span, data)
    return data


def _insist_whole(source: Source, span: Span, data: Any) -> None:
    start, stop = span
    if len(data) != stop - start:
        raise SourceError(
            f"got {len(data)} bytes where {stop - start} were asked for at offset {start}",
            source.where,
            "the file is shorter than it was",
            "run again",
        )


def _ranges(source: Source, ranges: list[Span]) -> list[Any]:
    if needs_fsspec(source.location, source.options):
        with fsspec_open(source) as file:
            return [_read_at(file, start, stop) for start, stop in ranges]
    remote = RangeFile(source)
    found: dict[Span, Any] = {span: b"" for span in ranges if span[0] == span[1]}
    groups = list(coalesced(ranges))
    fetched = remote.fetch_all([(start, stop) for start, stop, _ in groups])
    for (first, _, members), data in zip(groups, fetched, strict=True):
        found |= {(a, b): data[a - first : b - first] for a, b in members}
    return [found[span] for span in ranges]


def open_local(source: Source) -> Any:
    """Open a local file, if it is still what it was."""
    file = Path(source.path).open("rb")  # noqa: SIM115 - handed to the caller, who closes it
    stat = os.fstat(file.fileno())
    insist_unchanged(source, Identity(stat.st_size, None, str(stat.st_mtime_ns)))
    return file


def fsspec_open(source: Source) -> Any:
    """Open a file through fsspec, if it is still what it was."""
    import fsspec

    if source.held != Identity():
        insist_unchanged(source, fsspec_identity(source))
    return fsspec.open(source.location, mode="rb", **source.options).open()


def _read_at(file: Any, start: int, stop: int) -> bytes:
    file.seek(start)
    return bytes(file.read(stop - start))
