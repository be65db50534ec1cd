"""What travels from stage to stage: pickled once, and unpickled by who looks into it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any


class Packed(Mapping[str, Any]):
    """A mapping that is pickled once, however often it travels, and unpickled where it is read.

    Examples
    --------
    >>> sent = pickle.loads(pickle.dumps(Packed({"t": [1, 2]})))
    >>> sent["t"], len(sent)
    ([1, 2], 1)
    """

    def __init__(self, held: Mapping[str, Any] | None, data: bytes = b"") -> None:
        self._held, self._data = held, data

    @classmethod
    def of(cls, held: Mapping[str, Any]) -> Packed:
        """Pack a mapping, unless it is packed."""
        return held if isinstance(held, Packed) else cls(held)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as bytes."""
        self._data = self._data or pickle.dumps(self._held, pickle.HIGHEST_PROTOCOL)
        return Packed, (None, self._data)

    def __getitem__(self, name: str) -> Any:
        """Give one value."""
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        """List the names."""
        return iter(self._opened)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._opened)

    @property
    def _opened(self) -> Mapping[str, Any]:
        if self._held is None:
            self._held = pickle.loads(self._data)
        return self._held
