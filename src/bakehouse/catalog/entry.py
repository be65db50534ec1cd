"""The entry: everything the catalog says about one store.

Run times and build stamps live here, never in the store, so that baking twice gives the same store.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints, ValidationError, model_validator

from bakehouse.catalog.author import LicenseLink, Link, Maintainer, Provider
from bakehouse.catalog.canonical import Model, Text, Utc, dumps
from bakehouse.catalog.facts import Dimension, Facts, TimeRange, Variable
from bakehouse.catalog.preview import Preview, VariablePreview
from bakehouse.catalog.record import (
    Access,
    Change,
    Check,
    Digests,
    Gap,
    Note,
    Provenance,
    Reader,
    Run,
    Status,
    Storage,
    Store,
    Version,
)
from bakehouse.catalog.urls import WebUrl
from bakehouse.errors import CatalogError

__all__ = [
    "Access",
    "Change",
    "Check",
    "Digests",
    "Dimension",
    "Entry",
    "Facts",
    "Gap",
    "LicenseLink",
    "Link",
    "Maintainer",
    "Note",
    "Preview",
    "Provenance",
    "Provider",
    "Reader",
    "Run",
    "Status",
    "Storage",
    "Store",
    "TimeRange",
    "Variable",
    "VariablePreview",
    "Version",
]

ID = r"^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$"
IdPart = Annotated[str, StringConstraints(pattern=ID, max_length=128)]
"""A feedstock or recipe id: one path component on every file system."""


class Entry(Model):
    """One store in the catalog."""

    schema_version: Literal[1] = 1
    id: str = ""
    feedstock: IdPart
    recipe: IdPart
    kind: Literal["baked", "linked", "virtual"]
    title: Text
    description: Text | None = None
    license: Text | None = None
    license_link: LicenseLink | None = None
    providers: tuple[Provider, ...] = ()
    maintainers: tuple[Maintainer, ...] = ()
    tags: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    citation: Text | None = None
    doi: Text | None = None
    thumbnail: WebUrl | None = None
    store: Store
    facts: Facts | None = None
    check: Check
    access: Access | None = None
    provenance: Provenance = Provenance()
    digests: Digests = Digests()
    version: str | None = None
    published_at: Utc | None = None
    previous: tuple[Version, ...] = ()
    change: Change | None = None
    notes: tuple[Note, ...] = ()
    gaps: tuple[Gap, ...] = ()
    preview: Preview | None = None
    readers: tuple[Reader, ...] = ()
    status: Status = Status()
    aliases: tuple[Text, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_id(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("id"):
            return {**data, "id": f"{data.get('feedstock')}/{data.get('recipe')}"}
        return data

    @model_validator(mode="after")
    def _keeps_its_promise(self) -> Entry:
        if self.id != f"{self.feedstock}/{self.recipe}":
            raise ValueError(f"id is '{self.id}', feedstock and recipe say '{self.feedstock}/{self.recipe}'")
        if self.kind in ("baked", "virtual") and (self.check.level not in ("full", "sampled") or not self.version):
            raise ValueError(f"a {self.kind} entry needs a version whose check is 'full' or 'sampled'")
        if self.check.level != "declared" and self.facts is None:
            raise ValueError(f"check level '{self.check.level}' needs facts harvested from the store")
        return self

    def to_json(self) -> str:
        """Write the entry as its file holds it: stable, readable in a diff."""
        return dumps(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, text: str | bytes, where: str | None = None, lenient: bool = False) -> Entry:
        """Read an entry; lenient readers skip fields that a later release added.

        Raises
        ------
        CatalogError
            If the text is not a valid entry; the message lists every fault.
        """
        try:
            return cls.model_validate_json(text, extra="ignore" if lenient else "forbid")
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc'])) or 'entry'}: {fault['msg']}" for fault in error.errors()]
            raise CatalogError("not a valid entry", where, "\n".join(faults), "register the store again") from None
