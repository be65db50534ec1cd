"""What a job that may write nothing made of an issue form, for the job that proposes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import PositiveInt, StringConstraints, ValidationError

from bakehouse.catalog.canonical import Model, dumps
from bakehouse.errors import BakehouseError, PublishError
from bakehouse.github.handed import read_document

REQUEST_FILE, FILES = "request.json", "files"
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9._-]{0,58}[a-z0-9])?$")]
Short = Annotated[str, StringConstraints(max_length=300)]
Long = Annotated[str, StringConstraints(max_length=6000)]


class Refusal(Model):
    """Why nothing came of it."""

    message: Long
    cause: Long | None = None
    fix: Long | None = None

    @classmethod
    def of(cls, error: BakehouseError) -> Refusal:
        """Say what an error says."""
        parts = {"message": error.message, "cause": error.cause, "fix": error.fix}
        return cls(**{name: text[:5000] for name, text in parts.items() if text})


class Note(Model):
    """An answer of the form that has no place in meta.yaml."""

    label: Short
    text: Long


class Request(Model):
    """A feedstock that somebody asked for; with a refusal it has no files."""

    schema_version: Literal[1] = 1
    kind: Literal["link", "request"]
    number: PositiveInt | None = None
    feedstock: Id | None = None
    title: Short = ""
    notes: tuple[Note, ...] = ()
    refusal: Refusal | None = None

    def to_json(self) -> str:
        """Write the document."""
        return dumps(self.model_dump(mode="json"))


def read_request(folder: Path) -> Request:
    """Read the document of a job that read what strangers wrote.

    Raises
    ------
    PublishError
        If it is none.
    """
    try:
        return Request.model_validate(read_document(folder / REQUEST_FILE))
    except ValidationError as error:
        faults = "\n".join(f"{'.'.join(map(str, each['loc']))[:100]}: {each['type']}" for each in error.errors()[:5])
        raise PublishError("not a request", REQUEST_FILE, faults, "look at the job that made it") from None
