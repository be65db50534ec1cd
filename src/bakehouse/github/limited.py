"""Values of documents that pass from jobs that run strangers' code to jobs that may write.

Each has a limit. Where a document is made, what is too long is cut; where it is read, it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema

from bakehouse.errors import BakehouseError
from bakehouse.github.plain import plain

M = TypeVar("M", bound=BaseModel)

SIZE_LIMIT_BYTES, DEPTH_LIMIT = 1_000_000, 16
_CUT = {"cut": True}
_FAULTS_SHOWN = 5


class RefusedDocumentError(BakehouseError):
    """A document that is not what the job that makes it would have written."""


class Limited(BaseModel):
    """A frozen model that takes what it knows and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class AtMost:
    """The limit of a type: characters of a text, items of a list or a mapping."""

    limit: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Add the limit to a type's own rules."""
        limited = {**handler(source), "max_length": self.limit}
        return core_schema.with_info_before_validator_function(self._cut, cast(core_schema.CoreSchema, limited))

    def _cut(self, value: Any, info: core_schema.ValidationInfo[Any]) -> Any:
        if info.context != _CUT:
            return value
        if isinstance(value, str):
            return plain(value, self.limit, lines=True)
        if isinstance(value, dict):
            return dict(list(value.items())[: self.limit])
        return list(value)[: self.limit] if isinstance(value, list | tuple) else value


Count = Annotated[int, Field(strict=True, ge=0, le=2**60)]
"""A number of things, or of bytes."""

Amount = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
"""Seconds, or dollars."""


def made(model: type[M], content: dict[str, Any]) -> M:
    """Make a document: what is too long is cut."""
    return model.model_validate(content, context=_CUT)


def write(path: Path, document: BaseModel) -> None:
    """Write a document as a new file; nothing that lies there already is followed or replaced."""
    with path.open("x", encoding="utf-8") as file:
        file.write(document.model_dump_json(indent=1) + "\n")


def read(path: Path, model: type[M]) -> M:
    """Read a document that a stranger may have written.

    Raises
    ------
    RefusedDocumentError
        If it is missing, too large, nested too deeply, or not of the form that is expected.
    """
    if path.is_symlink() or not path.is_file():
        raise RefusedDocumentError("there is no document", path.name, "the job that makes it ended before it did")
    with path.open("rb") as file:
        data = file.read(SIZE_LIMIT_BYTES + 1)
    return parsed(data, model, path.name)


def parsed(data: bytes, model: type[M], where: str) -> M:
    """Read a document from its bytes; sizes are looked at before anything is parsed.

    Raises
    ------
    RefusedDocumentError
        As `read` does.
    """
    if len(data) > SIZE_LIMIT_BYTES:
        raise RefusedDocumentError(f"the document is larger than {SIZE_LIMIT_BYTES:,} bytes", where)
    if depth(data) > DEPTH_LIMIT:
        raise RefusedDocumentError(f"the document is nested more than {DEPTH_LIMIT} levels deep", where)
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise RefusedDocumentError("the document is not of the expected form", where, _faults(error)) from None


def depth(data: bytes) -> int:
    r"""Count how deeply JSON is nested, without parsing it.

    Examples
    --------
    >>> depth(b'{"a": [1, "[[["], "b": {}}'), depth(b"[" * 10**5)
    (2, 100000)
    """
    deepest = level = 0
    inside = escaped = False
    for byte in data:
        if inside:
            inside = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def _faults(error: ValidationError) -> str:
    found = [f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors(include_input=False)]
    more = [f"and {len(found) - _FAULTS_SHOWN} more"] if len(found) > _FAULTS_SHOWN else []
    return plain("\n".join([*found[:_FAULTS_SHOWN], *more]), 1000, lines=True)
