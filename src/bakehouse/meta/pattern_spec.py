"""File patterns as data: one URL with fields, or a list of files, and the dimensions that combine them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, PositiveInt, model_validator

from bakehouse.errors import PatternError, did_you_mean
from bakehouse.meta.base import Strict, refusal
from bakehouse.meta.dates import check_range, date_range, date_text
from bakehouse.meta.url_template import FileList, UrlTemplate, fields_of
from bakehouse.meta.urls import path_escapes, url_problem

if TYPE_CHECKING:
    from pangeo_forge_recipes.patterns import FilePattern

FileType = Literal["auto", "unknown", "netcdf3", "netcdf4", "grib", "opendap", "zarr", "kerchunk"]


def _key(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float | date):
        raise refusal("BH103", f"a key must be text, a number or a date, not {value!r}", "quote it")
    return value


def _distinct(keys: tuple[Any, ...]) -> tuple[Any, ...]:
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise refusal("BH422", f"key {key!r} is given twice", "remove one", (i,))
    return keys


def _input(url: str) -> str:
    if escape := path_escapes(url):
        raise refusal("BH201", f"{url!r}: {escape}", "name a URL, or package://module/path")
    if problem := url_problem(url):
        raise refusal("BH311", problem)
    return url


def _as_keys(value: Any) -> Any:
    return {"keys": value} if isinstance(value, list | tuple) else {} if value is None else value


Key = Annotated[Any, PlainValidator(_key)]
Keys = Annotated[tuple[Key, ...], Field(min_length=1), AfterValidator(_distinct)]
InputUrl = Annotated[str, BeforeValidator(lambda v: _input(v) if isinstance(v, str) else v)]
DateText = Annotated[str, BeforeValidator(date_text)]


class ConcatSpec(Strict):
    """What the inputs along one dimension are called: a list of keys, or a range of dates."""

    keys: Keys | None = Field(default=None, description="One key per input")
    start: DateText | None = Field(default=None, description="First date: 2006, 2006-04, 2006-04-01")
    end: DateText | None = Field(default=None, description="Last date, included")
    freq: str | None = Field(default=None, description="Step, as in pandas: YS, MS, D, h, 5D")
    nitems_per_file: PositiveInt | None = Field(
        default=None, description="Elements per input, if all have the same number"
    )

    @model_validator(mode="after")
    def _one_way(self) -> ConcatSpec:
        parts = {name: getattr(self, name) for name in ("start", "end", "freq")}
        missing = [name for name, value in parts.items() if value is None]
        if self.keys is not None and len(missing) < 3:
            raise refusal("BH422", "keys and a range of dates exclude each other", "keep one of them")
        if 0 < len(missing) < 3:
            raise refusal("BH422", f"a range of dates needs start, end and freq; missing: {', '.join(missing)}")
        if not missing:
            check_range(parts["start"], parts["end"], parts["freq"])
        return self

    @property
    def is_range(self) -> bool:
        """Say whether the keys are dates from a range."""
        return self.freq is not None

    def sample(self) -> Any:
        """Give one key to try a URL with."""
        return datetime(2000, 1, 1) if self.is_range else self.keys[0] if self.keys else None

    def values(self) -> list[Any]:
        """List the keys; a range of dates needs pandas."""
        if self.start and self.end and self.freq:
            return date_range(self.start, self.end, self.freq)
        return list(self.keys or ())


class PatternSpec(Strict):
    """Which inputs there are, and how they combine.

    Examples
    --------
    >>> spec = PatternSpec(url="https://example.org/{time:%Y%m}.nc",
    ...                    concat={"time": {"start": "2006-04", "end": "2006-05", "freq": "MS"}})
    >>> [url for _, url in spec.to_file_pattern().items()]
    ['https://example.org/200604.nc', 'https://example.org/200605.nc']
    """

    url: InputUrl | None = Field(default=None, description="URL with a field per dimension: {variable}, {time:%Y%m}")
    files: Annotated[tuple[InputUrl, ...], Field(min_length=1)] | None = Field(
        default=None, description="URLs, one by one"
    )
    concat: dict[str, Annotated[ConcatSpec, BeforeValidator(_as_keys)]] = Field(
        default={}, description="Dimensions to join along"
    )
    merge: dict[str, Keys] = Field(default={}, description="Keys whose files hold different variables")
    file_type: FileType = "auto"
    open_kwargs: dict[str, Any] = Field(
        default={}, description="Options of fsspec to read the inputs; never credentials"
    )

    @model_validator(mode="before")
    @classmethod
    def _lone_dimension(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("concat"), str):
            return {**data, "concat": {data["concat"]: {}}}
        return data

    @model_validator(mode="after")
    def _consistent(self) -> PatternSpec:
        if (self.url is None) == (self.files is None):
            raise refusal("BH422", "a pattern takes either url or files", "keep one of them")
        for dim in set(self.concat) & set(self.merge):
            raise refusal("BH422", f"'{dim}' is in both concat and merge", "keep one of them", ("merge", dim))
        if self.url is not None:
            _check_url(self.url, self.concat, self.merge)
        else:
            _check_files(self.files or (), self.concat, self.merge)
        return self

    def to_file_pattern(self) -> FilePattern:
        """Make the pattern that recipes use.

        Raises
        ------
        PatternError
            If a range of dates or a field of the URL can't be spelled out.
        """
        from bakehouse import patterns

        files = self.files or ()
        dim = next(iter(self.concat), None)
        make_url = UrlTemplate(self.url) if self.url is not None else FileList(files, dim)
        dims: list[Any] = []
        for name, spec in self.concat.items():
            keys = spec.values() if self.url is not None else list(range(len(files)))
            dims.append(patterns.ConcatDim(name, keys, spec.nitems_per_file))
        dims += [patterns.MergeDim(name, list(keys)) for name, keys in self.merge.items()]
        file_type = "unknown" if self.file_type == "auto" else self.file_type
        try:
            return patterns.FilePattern(make_url, *dims, fsspec_open_kwargs=dict(self.open_kwargs), file_type=file_type)
        except ValueError as error:
            raise PatternError(f"no pattern: {error}", None, None, "change file_type or open_kwargs") from error


def _check_url(url: str, concat: Mapping[str, ConcatSpec], merge: Mapping[str, Sequence[Any]]) -> None:
    """Refuse a field that is no dimension, a dimension that is no field, and keys that do not fit their field."""
    fields = fields_of(url)
    samples = {**{dim: spec.sample() for dim, spec in concat.items()}, **{dim: keys[0] for dim, keys in merge.items()}}
    for name in fields:
        if name not in samples:
            raise refusal("BH422", f"{{{name}}} in the url is no dimension", did_you_mean(name, samples), ("url",))
    for dim, sample in samples.items():
        kind = "concat" if dim in concat else "merge"
        if dim not in fields:
            message = f"the url has no field {{{dim}}}: all inputs along '{dim}' would be one file"
            raise refusal("BH422", message, None, (kind, dim))
        if sample is None:
            raise refusal("BH422", f"'{dim}' has neither keys nor a range of dates", None, (kind, dim))
        if kind == "concat" and concat[dim].is_range and not all(fields[dim]):
            raise refusal("BH422", f"{{{dim}}} does not say how a date is written", f"write {{{dim}:%Y%m%d}}", ("url",))
    try:
        url.format(**samples)
    except (ValueError, TypeError) as error:
        raise refusal("BH422", f"the url can't be filled in: {error}", "make field and key fit", ("url",)) from error


def _check_files(files: tuple[str, ...], concat: Mapping[str, ConcatSpec], merge: Mapping[str, Sequence[Any]]) -> None:
    """Refuse listed files that are not joined along one dimension, whose keys they provide."""
    if merge or len(concat) > 1 or (len(files) > 1 and not concat):
        raise refusal(
            "BH422", "listed files combine along one concat dimension", "write concat: {NAME: {}}, or use url"
        )
    if len(set(files)) < len(files):
        twice = next(file for i, file in enumerate(files) if file in files[:i])
        raise refusal("BH422", f"'{twice}' is listed twice", "remove one", ("files", files.index(twice)))
    for dim, spec in concat.items():
        if spec.keys is not None or spec.is_range:
            raise refusal("BH422", "listed files have no keys", "remove keys, start, end and freq", ("concat", dim))
