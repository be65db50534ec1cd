"""The answers of an issue form, read from the Markdown that GitHub makes of them: every word of it is a stranger's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bakehouse.errors import BakehouseError
from bakehouse.meta.urls import WEB, path_escapes, url_problem

MOST_CHARACTERS = 66_000
NO_ANSWER = "_No response_"
LINK = ("URL", "Title", "Licence", "Contact", "Id", "Comments")
REQUEST = (
    *("Name", "URL", "Description", "Size", "Licence", "Format", "Location", "Organization", "Examples"),
    *("Authorization", "Transformation", "Target format", "Id", "Comments"),
)
LONG = {"Description", "Examples", "Transformation", "Comments"}
"""Answers that may have several lines."""
STORES = (*WEB, "s3", "gs")
FILES = (*STORES, "ftp")
_LIMITS = {"URL": 2000, "Location": 2000, "Title": 200, "Name": 200, "Id": 60}
_ID = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
LOGIN = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}")


class RefusedRequestError(BakehouseError):
    """A request that nothing can be made of, and what to change; both are shown to who asked."""


@dataclass(frozen=True)
class Answers:
    """What was answered, by the labels of the form; what was left out is the empty text."""

    said: Mapping[str, str]

    def __getitem__(self, label: str) -> str:
        return self.said.get(label, "")

    def insist(self, *labels: str) -> None:
        """Insist on answers.

        Raises
        ------
        RefusedRequestError
            If one is missing.
        """
        missing = [label for label in labels if not self[label]]
        if missing:
            message = f"the form leaves out: {', '.join(missing)}"
            raise RefusedRequestError(message, None, None, "edit the issue, keep its headings, and write below them")


def answers(body: str, labels: Collection[str]) -> Answers:
    r"""Read the body of an issue that was made with a form.

    Raises
    ------
    RefusedRequestError
        If a heading of the form is there twice, or an answer is too long or of several lines where one is asked for.

    Examples
    --------
    >>> answers("### URL\n\nhttps://example.org/a.zarr\n\n### Title\n\n_No response_", LINK)["URL"]
    'https://example.org/a.zarr'
    """
    if len(body) > MOST_CHARACTERS:
        raise RefusedRequestError(f"the issue has {len(body):,} characters", None, None, "write less")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in re.split(r"\r\n|\r|\n", body):
        label = line.removeprefix("### ").strip() if line.startswith("### ") else None
        if label in labels and label in found:
            fix = "write each heading of the form once"
            raise RefusedRequestError(f"the heading '{label}' is there twice", None, None, fix)
        if label in labels and label is not None:
            lines = found[label] = []
        else:
            lines.append(line)
    return Answers({label: _answer(label, "\n".join(said)) for label, said in found.items()})


def checked(said: Mapping[str, str]) -> Answers:
    """Take answers that were given one by one, as a workflow's inputs are; the same rules hold."""
    return Answers({label: _answer(label, text) for label, text in said.items()})


def _answer(label: str, text: str) -> str:
    text = text.strip()
    text = "" if text == NO_ANSWER else text
    most = _LIMITS.get(label, 5000 if label in LONG else 300)
    if len(text) > most:
        raise RefusedRequestError(
            f"'{label}' has {len(text):,} characters, {most:,} are read", None, None, "write less"
        )
    if label not in LONG and "\n" in text:
        raise RefusedRequestError(f"'{label}' has several lines", None, None, "write one line below its heading")
    kept = "\n\t" if label in LONG else ""
    if any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn") and each not in kept for each in text):
        raise RefusedRequestError(f"'{label}' has characters that can't be seen", None, None, "type it anew")
    return text


def feedstock_id(said: Answers, title: str) -> str:
    """Give the id that was asked for, or make one of the title.

    Raises
    ------
    RefusedRequestError
        If it can't be one.

    Examples
    --------
    >>> feedstock_id(Answers({}), "NOAA OISST: daily (v2.1)"), feedstock_id(Answers({"Id": "noaa-oisst"}), "x")
    ('noaa-oisst-daily-v2.1', 'noaa-oisst')
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = said["Id"] or re.sub(r"\.{2,}", "-", re.sub(r"[^a-z0-9.]+", "-", plain))[:60].strip("-.")
    if not _ID.fullmatch(name) or ".." in name or len(name) > 60:
        fix = "write small letters, digits and hyphens below 'Id', such as noaa-oisst"
        raise RefusedRequestError(f"{name[:100]!r} can't be the id of a feedstock", None, None, fix)
    return name


def insist_address(label: str, url: str, schemes: tuple[str, ...]) -> None:
    """Insist on an address that anybody could read from.

    Raises
    ------
    RefusedRequestError
        If it is none; whether it leads into a private network is looked at where it is opened.
    """
    bare = url.partition("?")[0]
    said = url_problem(url, schemes) or path_escapes(url)
    said = said or ("it chains file systems" if "::" in url else None)
    said = said or ("it holds a credential" if "@" in bare.partition("://")[2].partition("/")[0] else None)
    said = said or ("it has spaces or quotes" if re.search(r"[\s\"'<>`\\]", url) else None)
    if said:
        raise RefusedRequestError(f"'{label}' can't be read from: {said}", None, None, f"begin with {schemes[0]}://")
