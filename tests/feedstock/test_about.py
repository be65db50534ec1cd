"""What upstream's metadata become: spelled as the catalog needs it, with a note for whatever is changed."""

from __future__ import annotations

import pytest
import yaml

from bakehouse.feedstock.native.about import mend
from bakehouse.feedstock.native.licences import spdx_of
from bakehouse.feedstock.native.text import meta_text

LICENCES = {
    "CC-BY-4.0": "CC-BY-4.0",
    "cc-by-4.0": "CC-BY-4.0",
    "CC BY 4.0": "CC-BY-4.0",
    "CC-BY-NC v.4.0": "CC-BY-NC-4.0",
    "Creative Commons Attribution 4.0 (CC BY 4.0)": "CC-BY-4.0",
    "Creative Commons Attribution-NonCommercial-ShareAlike 4.0": "CC-BY-NC-SA-4.0",
    "https://creativecommons.org/licenses/by-sa/3.0/": "CC-BY-SA-3.0",
    "CC0": "CC0-1.0",
    "Apache Version 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "other": "other",
    "CC 4.0": None,
    "Open Data": None,
    "No constraints on data access or use.": None,
    "Permitted for research": None,
}


@pytest.mark.parametrize("text", LICENCES)
def test_a_licence_is_spelled_as_spdx_does_or_left_alone(text: str) -> None:
    assert spdx_of(text) == LICENCES[text]


FOUND = {
    "title": "Sea  ice\n",
    "description": "Monthly\nmeans.\n\nOf both hemispheres.\n",
    "pangeo_forge_version": "0.9.2",
    "bakery": {"id": "x"},
    "ncviewjs:meta_yaml_url": "https://example.org",
    "sponsors": "nobody",
    "provenance": {
        "providers": [
            {"name": "A", "roles": ["producers", "data provider", "friend", "licensor"], "url": "s3://bucket"},
            {"name": "B", "description": "B", "roles": ["host"], "url": "https://b.example.org"},
        ],
        "license": "No constraints on data access or use.",
    },
    "maintainers": [
        {"name": "J. Carberry", "github": "@josiah", "orcid": "https://orcid.org/0000-0002-1825-0097", "email": "a@b"},
        {"name": "K", "github": "no name", "orcid": "0000-0002-1825-0098"},
    ],
    "tags": ["ice", 2],
    "links": [{"label": "Home", "url": "https://example.org"}, {"label": "Lost", "url": "here"}],
    "stores": [
        {"id": "a", "url": "gs://bucket/a.zarr", "ncviewjs:rechunking": [{"path": "gs://bucket/b"}], "public": True},
        {"id": "b", "url": "TODO"},
    ],
}


def test_what_can_be_mended_is_and_every_change_is_said() -> None:
    about = mend(FOUND)
    assert about.data == {
        "title": "Sea ice",
        "description": "Monthly means.\n\nOf both hemispheres.",
        "provenance": {
            "providers": [
                {"name": "A", "roles": ["producer", "host", "licensor"]},
                {"name": "B", "roles": ["host"], "url": "https://b.example.org"},
            ],
            "license": "other",
            "license_link": {"title": "No constraints on data access or use.", "url": "https://b.example.org"},
        },
        "maintainers": [
            {"name": "J. Carberry", "github": "josiah", "orcid": "0000-0002-1825-0097"},
            {"name": "K"},
        ],
        "tags": ["ice", "2"],
        "links": [{"label": "Home", "url": "https://example.org"}],
        "stores": [{"id": "a", "url": "gs://bucket/a.zarr", "rechunking": [{"path": "gs://bucket/b"}]}],
    }
    assert about.comments == {
        "": [
            "Dropped, since nothing here needs it: bakery, pangeo_forge_version, ncviewjs:meta_yaml_url",
            "Dropped, since no such key is known: sponsors: nobody",
        ],
        "provenance": [
            "A's role 'producers' is written as 'producer': STAC knows producer, licensor, processor, host",
            "A's role 'data provider' is written as 'host': STAC knows producer, licensor, processor, host",
            "A's role 'friend' is left out: STAC knows producer, licensor, processor, host",
            "A's url 's3://bucket' is left out: unknown scheme 's3'; known: http, https",
            "license 'No constraints on data access or use.' has no SPDX identifier; 'other' links to who says so",
        ],
        "maintainers": [
            "github '@josiah' is written as josiah",
            "orcid 'https://orcid.org/0000-0002-1825-0097' is written as 0000-0002-1825-0097",
            "J. Carberry's email is left out: a@b",
            "github 'no name' is left out: it is no user name",
            "orcid '0000-0002-1825-0098' is left out: it can't be one",
        ],
        "links": ["url 'here' is left out: 'here' is not a URL"],
        "stores": [
            "a's public left out: found out when the store is linked",
            "store {'id': 'b', 'url': 'TODO'} is left out: 'TODO' is not a URL",
        ],
    }


def test_what_is_missing_is_left_open_and_asked_for() -> None:
    about = mend({"recipes": [{"id": "a"}], "provenance": {"license": "unknown"}})
    assert about.data == {
        "title": None,
        "provenance": {"license": None},
        "maintainers": None,
        "recipes": [{"id": "a"}],
    }
    assert about.todo == ["find out the licence, and write its SPDX identifier", "add title", "add maintainers"]


def test_what_is_written_is_read_back() -> None:
    about = mend(FOUND)
    text = meta_text(["# head"], about.data, about.comments)
    assert yaml.safe_load(text) == about.data
    notes = [note for key, of in about.comments.items() if key for note in of]
    assert all(f"# {note}" in text for note in notes if len(note) < 110)
    assert all(len(line) <= 125 for line in text.splitlines())
