"""What a feedstock's author says about its data."""

from __future__ import annotations

from bakehouse.catalog.canonical import Model, Text
from bakehouse.catalog.urls import WebUrl


class Provider(Model):
    """Who made, licensed, processed or hosts the data; `roles` are STAC's."""

    name: Text
    description: Text | None = None
    roles: tuple[Text, ...] = ()
    url: WebUrl | None = None


class Maintainer(Model):
    """Who looks after the feedstock."""

    name: Text
    github: Text | None = None
    orcid: Text | None = None


class Link(Model):
    """Something to read next."""

    label: Text
    url: WebUrl


class LicenseLink(Model):
    """Where the licence's text is, where SPDX has no name for it."""

    title: Text | None = None
    url: WebUrl
