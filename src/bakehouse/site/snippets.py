"""How to open an entry, as code to copy; the build runs it before a page shows it."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass

from bakehouse.catalog.entry import Entry, Variable
from bakehouse.catalog.lines import short_id, xarray_line
from bakehouse.catalog.scheme import web_url
from bakehouse.catalog.stac import collection_path, stac_id

WIDTH = 92
SERVED = "http://127.0.0.1:8787"
"""The address of `bakehouse catalog serve`."""
FILE_SYSTEMS = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "http": "aiohttp", "https": "aiohttp"}


@dataclass(frozen=True)
class Places:
    """Where what the snippets name lies: its addresses as a reader sees them, and on the disk of the build.

    `web` is the site's address with no slash at its end, or None where it is not known; `disk` the folder that the
    site is built in.
    """

    disk: str
    web: str | None = None

    @property
    def shown(self) -> str:
        """Give the place that the snippets show."""
        return self.web or self.disk


@dataclass(frozen=True)
class Snippet:
    """Code that opens an entry; `run` is what the build runs of it: the same, with files in place of addresses."""

    key: str
    label: str
    language: str
    install: str
    code: str
    run: str | None = None
    packages: tuple[str, ...] = ()
    about: str = ""


def snippets(entry: Entry, places: Places) -> list[Snippet]:
    """Give every way to open an entry; `entry.store.url` is no longer relative."""
    made = [_bakehouse(entry, places), _xarray(entry), _stac(entry, places)]
    if entry.store.format == "zarr":
        made += [_intake(entry, places), _zarrita(entry)]
    return made


def _bakehouse(entry: Entry, places: Places) -> Snippet:
    def code(catalog: str) -> str:
        version = f", version={entry.version!r}" if entry.version else ""
        return _laid_out("bakehouse", f"bakehouse.open({short_id(entry)!r}{version}, catalog={catalog!r})")

    extra = "[icechunk]" if entry.store.format == "icechunk" else ""
    return Snippet(
        *("bakehouse", "Bakehouse", "python", _pip(f"bakehouse{extra}")),
        *(code(f"{places.shown}/catalog"), code(f"{places.disk}/catalog")),
        ("bakehouse", "xarray", "zarr"),
        "Finds the store in the catalog and opens it lazily; an older version opens by its name, too.",
    )


def _xarray(entry: Entry) -> Snippet:
    store, line = entry.store, xarray_line(entry)
    modules = ("icechunk", "xarray") if store.format == "icechunk" else ("xarray",)
    needs = {"icechunk": ["icechunk"], "kerchunk": ["kerchunk"], "zarr": []}[store.format]
    files = FILE_SYSTEMS.get(store.storage.protocol)
    needs += [files] if files and store.format != "icechunk" else []
    code = _laid_out(*modules, line)
    about = "Nothing of Bakehouse is needed: the store is ordinary."
    packages = ("xarray", "zarr", *needs)
    return Snippet("xarray", "xarray", "python", _pip("xarray", "zarr", "dask", *needs), code, code, packages, about)


def _stac(entry: Entry, places: Places) -> Snippet:
    path = f"catalog/{collection_path(entry.feedstock, entry.recipe)}"

    def code(place: str) -> str:
        opening = xarray_line(entry, _MARK).replace(repr(_MARK), "href")
        pin = f'assert collection.extra_fields["version"] == {entry.version!r}\n' if entry.version else ""
        found = f"collection = pystac.Collection.from_file({f'{place}/{path}'!r})\n{pin}"
        modules = ("icechunk", "pystac", "xarray") if entry.store.format == "icechunk" else ("pystac", "xarray")
        uses = 'href = collection.assets["data"].get_absolute_href()\n' if "href" in opening else ""
        return _laid_out(*modules, opening, before=found + uses)

    other = _xarray(entry)
    install = _pip("pystac", *other.install.split()[2:])
    about = "The collection also says what the store holds, where and when, for every tool that reads STAC."
    return Snippet(
        *("stac", "STAC", "python", install, code(places.shown), code(places.disk)),
        ("pystac", *other.packages),
        about,
    )


_MARK = "\0href"
_STRING = re.compile(r"""'([^'"\\\n]*)'|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
"""Strings as repr writes them; the group holds one that needs no escape in either kind of quotes."""


def _intake(entry: Entry, places: Places) -> Snippet:
    def code(place: str) -> str:
        name = stac_id(entry)
        pin = f'assert catalog.metadata["versions"][{name!r}] == {entry.version!r}\n' if entry.version else ""
        found = f"catalog = intake.open_catalog({f'{place}/intake.yaml'!r})\n{pin}"
        return _laid_out("intake", f"catalog[{name!r}].to_dask()", before=found)

    files = FILE_SYSTEMS.get(entry.store.storage.protocol)
    extra = [files] if files else []
    install = _pip("intake", "intake-xarray", "dask", *extra)
    packages = ("intake", "intake-xarray", "xarray", "zarr", *extra)
    return Snippet(
        *("intake", "Intake", "python", install, code(places.shown), code(places.disk)),
        packages,
        "For projects that keep their data in Intake catalogs.",
    )


def _zarrita(entry: Entry) -> Snippet:
    """Open the largest data variable in a browser or Node; a browser needs https and CORS."""
    url = web_url(entry.store.url, entry.store.storage) or served_path(entry)
    variable = largest(entry)
    opening = "withConsolidatedMetadata" if entry.store.consolidated else None
    place = f"new zarr.FetchStore({_js(url)})"
    lines = ['import * as zarr from "zarrita";', ""]
    lines += [f"const store = {f'await zarr.{opening}({place})' if opening else place};"]
    lines += ['const group = await zarr.open(store, { kind: "group" });']
    if variable is not None:
        lines += [f'const array = await zarr.open(group.resolve({_js(variable.name)}), {{ kind: "array" }});']
    code = "\n".join(lines)
    closed = entry.store.storage.anonymous is False
    about = CLOSED if closed else OPEN
    return Snippet(
        *("javascript", "JavaScript", "javascript", "npm install zarrita", code, None if closed else code), about=about
    )


OPEN = (
    "A browser reads the store itself, if its server allows it (CORS). Values are as stored: packing and fill "
    "values are the reader's to apply."
)
CLOSED = (
    "This store needs credentials, which a browser has none of: sign the requests, for instance with aws4fetch, by "
    "FetchStore's option fetch."
)


def largest(entry: Entry) -> Variable | None:
    """Find the data variable that holds most."""
    data = [each for each in (entry.facts.variables if entry.facts else ()) if each.role == "data" and each.shape]
    return max(data, key=lambda each: each.bytes) if data else None


def served_path(entry: Entry) -> str:
    """Say at which address `bakehouse catalog serve` serves a store that lies on this machine."""
    return f"{SERVED}/stores/{entry.id}/{entry.store.url.rstrip('/').rpartition('/')[2]}"


def _js(text: str) -> str:
    """Write a string of JavaScript; JSON is one."""
    return json.dumps(text)


def _pip(*packages: str) -> str:
    quoted = [f'"{each}"' if "[" in each else each for each in dict.fromkeys(packages)]
    return f"pip install {' '.join(quoted)}"


def _laid_out(*modules_and_line: str, before: str = "") -> str:
    """Write a short program: its imports, then the line that opens, broken where it is long."""
    *modules, line = modules_and_line
    imports = "\n".join(f"import {name}" for name in modules)
    opening = f"ds = {line}"
    return _one_quote(f"{imports}\n\n{before}{opening if len(opening) <= WIDTH else _broken(line)}")


def _one_quote(code: str) -> str:
    """Write every string that allows it in double quotes, as formatters of Python do."""
    return _STRING.sub(lambda found: f'"{found[1]}"' if found[1] is not None else found[0], code)


def _broken(line: str) -> str:
    """Write a call with each of its arguments on a line of its own."""
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    arguments = [ast.unparse(each) for each in call.args]
    arguments += [f"{each.arg}={ast.unparse(each.value)}" for each in call.keywords]
    return "\n".join([f"ds = {ast.unparse(call.func)}(", *(f"    {each}," for each in arguments), ")"])
