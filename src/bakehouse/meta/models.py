"""Models of a feedstock's meta.yaml, as Bakehouse, Pangeo Forge and LEAP write it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bakehouse.meta.base import Export, Listed, Name, Strict, refusal
from bakehouse.meta.schedules import WORDS, is_schedule

ROLES = ("producer", "licensor", "processor", "host")
_FORMS = ("object", "dict_object", "recipe")

Role = Annotated[str, WithJsonSchema({"enum": list(ROLES)})]


def _schedule(text: str) -> str:
    if not is_schedule(text):
        fix = f"write {', '.join(WORDS)} or five cron fields"
        raise refusal("BH103", f"{text!r} is no schedule", fix)
    return text


class Provider(Strict):
    """Who made, licensed, processed or hosts the data."""

    name: str = Field(description="Name of the organisation or person")
    description: str | None = None
    roles: Listed[Role] = Field(default=(), description="STAC roles: producer, licensor, processor, host")
    url: str | None = Field(default=None, description="The provider's page about the data")


class LicenseLink(Strict):
    """Where to read a licence that has no SPDX identifier."""

    title: str | None = None
    url: str | None = None


class Provenance(Strict):
    """Where the data come from and what may be done with them."""

    providers: Listed[Provider] = ()
    license: str | None = Field(default=None, description="SPDX identifier or expression, or: proprietary, other")
    license_link: LicenseLink | None = Field(
        default=None, description="Where to read a licence without SPDX identifier"
    )


class Maintainer(Strict):
    """Who looks after the feedstock."""

    name: str
    github: str | None = Field(default=None, description="GitHub user name, without @")
    orcid: str | None = Field(default=None, description="ORCID iD, such as 0000-0002-1825-0097")


def _none_is_empty(value: Any) -> Any:
    return {} if value is None else value


class RecipeEntry(Strict):
    """One recipe of a feedstock: an object, a dict of objects, a shared recipe, or only the id of a linked store."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["id", "object"]},
                {"required": ["dict_object"]},
                {"required": ["id", "recipe"]},
                {"required": ["id"], "not": {"anyOf": [{"required": [form]} for form in _FORMS]}},
            ]
        }
    )

    id: Name | None = Field(default=None, description="Name of the recipe; names its store in the catalog")
    object: Export | None = Field(
        default=None, description="Recipe in a Python file beside meta.yaml, as module:export"
    )
    dict_object: Export | None = Field(default=None, description="Dict of recipe id to recipe, as module:export")
    recipe: Name | None = Field(default=None, description="Name of a shared recipe")
    with_: Annotated[dict[str, Any], BeforeValidator(_none_is_empty)] = Field(
        default={}, alias="with", description="Parameters of the shared recipe"
    )

    @property
    def kind(self) -> Literal["object", "dict_object", "recipe", "linked"]:
        """Say which of the four forms this is."""
        for form in ("object", "dict_object", "recipe"):
            if getattr(self, form) is not None:
                return form
        return "linked"

    @model_validator(mode="after")
    def _one_form(self) -> RecipeEntry:
        given = [form for form in _FORMS if getattr(self, form) is not None]
        if len(given) > 1:
            raise refusal("BH104", f"a recipe takes one of {', '.join(_FORMS)}; given: {', '.join(given)}")
        if self.dict_object and self.id:
            raise refusal("BH104", "dict_object brings its own ids", "remove id", at=("id",))
        if not self.dict_object and not self.id:
            raise refusal("BH104", "a recipe needs an id")
        if "with_" in self.model_fields_set and not self.recipe:
            raise refusal(
                "BH104", "'with' belongs to a shared recipe", "add recipe: NAME, or remove with", at=("with",)
            )
        return self


class Rechunking(Strict):
    """The same data in another chunking."""

    path: str
    use_case: str | None = None


class LinkedStore(Strict):
    """A store that was made elsewhere."""

    id: Name
    name: str | None = None
    url: str = Field(description="Address of the store: https://, s3://, gs://")
    endpoint_url: str | None = Field(
        default=None, description="S3 endpoint of an s3:// url, where it is neither Amazon's nor a known provider's"
    )
    rechunking: Listed[Rechunking] = Field(
        default=(), validation_alias=AliasChoices("rechunking", "ncviewjs:rechunking")
    )
    public: bool | None = None
    geospatial: bool | None = None
    xarray_open_kwargs: dict[str, Any] | None = Field(
        default=None, description="Keyword arguments of xarray.open_dataset"
    )
    last_updated: date | datetime | str | None = None
    description: str | None = None
    source: Any = None
    source_url: str | None = None


class PageLink(Strict):
    """A page about the data; the keys of older files pass."""

    model_config = ConfigDict(extra="allow")

    url: str
    label: str | None = None


class Update(Strict):
    """When to look for new inputs, and what becomes of what they bring."""

    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        description="hourly, daily, weekly, monthly, yearly or five cron fields; in UTC"
    )
    publish: Literal["direct", "pull-request"] = Field(
        default="direct", description="Publish what an update brings at once, or propose it in a pull request"
    )


def _as_list(recipes: Any) -> Any:
    return () if recipes is None else [recipes] if isinstance(recipes, dict) else recipes


class FeedstockMeta(Strict):
    """A feedstock's meta.yaml: what the dataset is, and how it is made."""

    title: str | None = None
    description: str | None = None
    provenance: Provenance | None = None
    maintainers: Listed[Maintainer] = ()
    recipes: Annotated[tuple[RecipeEntry, ...], BeforeValidator(_as_list)] = ()
    stores: Listed[LinkedStore] = Field(default=(), description="Stores that were made elsewhere: linked, not baked")
    fixture: str | None = Field(default=None, description="Generator of test inputs, as module:callable or by name")
    update: Update | None = None
    tags: Listed[str] = ()
    links: Listed[PageLink] = ()
    thumbnail: str | None = None
    citation: Any = None
    contact: Any = None
    acknowledgements: Any = None
    pangeo_forge_version: Any = None
    pangeo_notebook_version: Any = None
    bakery: Any = None
    meta_yaml_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("meta_yaml_url", "ncviewjs:meta_yaml_url"),
        description="LEAP's own link",
    )
