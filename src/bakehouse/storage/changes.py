"""Which inputs are no longer what they were when a store was made from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bakehouse.errors import SourceError
from bakehouse.schema import Identity
from bakehouse.storage.identity import compare
from bakehouse.storage.source import Source, make_source
from bakehouse.storage.whole import read_whole

ASKED_AT_ONCE = 16
GONE = "gone"


@dataclass(frozen=True)
class Change:
    """What became of one input: how it was known, what its place says now (None if it is gone), and why it differs."""

    url: str
    known: Identity
    now: Identity | None
    changed: bool
    reason: str


def source_changes(
    sources: Iterable[tuple[str, Identity]],
    options: Mapping[str, Any] | None = None,
    url_map: Mapping[str, str] | None = None,
    at_once: int = ASKED_AT_ONCE,
) -> Iterator[Change]:
    """Ask the place of each input whether it is what it was, several at once; answers come in the inputs' order.

    The best evidence that both identities have decides: the etag, else modification time and size, else the content,
    for which the input is read whole. An input whose identities have nothing in common that could tell counts as
    changed.

    Parameters
    ----------
    sources
        URLs as the recipe gives them, each with the identity that it was baked with.
    options
        Options of `fsspec.open`, as for `make_source`.
    url_map
        Replacements for the beginnings of URLs.
    at_once
        How many places are asked at a time.

    Raises
    ------
    SourceError
        If a place can't be reached; an input that is not there any more is no error.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "a.nc")
    >>> _ = path.write_bytes(b"0123456789")
    >>> known = make_source(str(path), {}, {}).identified().identity
    >>> [change.reason for change in source_changes([(str(path), known)])]
    ['same mtime']
    >>> path.unlink()
    >>> [change.reason for change in source_changes([(str(path), known)])]
    ['gone']
    """
    ask = partial(_ask, options=options or {}, url_map=url_map or {})
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(lambda pair: ask(*pair), sources)


def _ask(url: str, known: Identity, options: Mapping[str, Any], url_map: Mapping[str, str]) -> Change:
    source = make_source(url, options, url_map)
    try:
        return _compared(source.identified(), known)
    except SourceError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Change(url, known, None, True, GONE)
        raise


def _compared(source: Source, known: Identity) -> Change:
    changed, reason = compare(known, source.identity)
    if changed is None and known.sha256:
        content = read_whole(source)
        now = replace(source.identity, size_bytes=content.size_bytes, sha256=content.sha256)
        source = replace(source, identity=now)
        changed, reason = compare(known, now)
    return Change(source.url, known, source.identity, changed is not False, reason)
