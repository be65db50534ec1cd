"""Every error that Bakehouse raises on purpose: what, where, cause and fix, on one screen."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BakehouseError(Exception):
    """A failure that a user can act on.

    Every argument is positional so that the error survives pickling between a worker and the driver.

    Parameters
    ----------
    message
        What is wrong, with both values and their units.
    where
        File and line, or input URL and index.
    cause
        Why it happened, as far as is known.
    fix
        What to change.

    Examples
    --------
    >>> print(BakehouseError("lat differs between inputs", "noaa-oisst, input 2", None, "drop lat"))
    BakehouseError: lat differs between inputs
      where: noaa-oisst, input 2
      fix:   drop lat
    """

    exit_code = 1

    def __init__(
        self, message: str, where: str | None = None, cause: str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(message, where, cause, fix)
        self.message, self.where, self.cause, self.fix = message, where, cause, fix

    def __str__(self) -> str:
        parts = (("where: ", self.where), ("cause: ", self.cause), ("fix:   ", self.fix))
        lines = [f"  {label}{_indent(text)}" for label, text in parts if text]
        return "\n".join([f"{type(self).__name__}: {self.message}", *lines])

    def as_dict(self) -> dict[str, str | None]:
        """Give the error as one JSON-ready mapping."""
        return {
            "error": type(self).__name__,
            "message": self.message,
            "where": self.where,
            "cause": self.cause,
            "fix": self.fix,
        }


class UsageError(BakehouseError):
    """The command was called with something that can't work."""

    exit_code = 2


class MetaError(BakehouseError):
    """A meta.yaml can't be used; the message lists every finding."""


class RecipeError(BakehouseError):
    """A recipe can't be found, imported or run."""


class PatternError(BakehouseError):
    """A file pattern names no inputs, or its index space is not a full grid."""


class SourceError(BakehouseError):
    """An input can't be reached, or is not what it was when it was surveyed."""


class SchemaError(BakehouseError):
    """Inputs that can't be combined without changing what their data mean."""


class ChunkAlignmentError(BakehouseError):
    """Chunks, shards or regions that do not fit onto one another."""


class StorageError(BakehouseError):
    """A target that can't be written, read or listed."""


class PublishError(BakehouseError):
    """A version that could not be made visible; the last good one stays."""


class VerifyError(BakehouseError):
    """A store that does not hold what its sources hold."""


class LinkError(BakehouseError):
    """A store that can't be linked: it is not there, not public, or no zarr store."""


class AddressError(BakehouseError):
    """An address that is not connected to: none of the public internet, or one that holds credentials."""


class JobError(BakehouseError):
    """A job on a service that could not be started, did not end well, or was lost out of sight."""


class CatalogError(BakehouseError):
    """An entry or an index that is missing, invalid or contradicts another."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the closest known word, or list them all.

    Examples
    --------
    >>> did_you_mean("tiem", ["time", "lat"])
    "did you mean 'time'?"
    >>> did_you_mean("depth", ["time", "lat"])
    'known: lat, time'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names) or 'none'}"


def _indent(text: str) -> str:
    """Align the second and later lines under the first."""
    return text.replace("\n", "\n         ")
