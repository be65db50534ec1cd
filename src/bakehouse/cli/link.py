"""`bakehouse link`: stores that were made elsewhere, as entries of the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bakehouse.cli import options
from bakehouse.cli.reply import Reply

if TYPE_CHECKING:
    from bakehouse.cli.linking import Linked


@click.command("link")
@click.argument("name", metavar="[ID[/STORE]]", required=False)
@click.option("--url", metavar="URL", help="The store's address: https://…, s3://BUCKET/… or gs://BUCKET/…")
@click.option(
    "--format", "format", type=click.Choice(["auto", "zarr", "icechunk", "kerchunk"]), default="auto",
    show_default=True, help="What lies there.",
)  # fmt: skip
@click.option("--endpoint-url", "endpoint", metavar="URL", help="S3 endpoint of the bucket, if it is not at Amazon.")
@click.option("--title", help="What the dataset is, in one line.")
@click.option("--description", help="What people would search for.")
@click.option("--license", metavar="SPDX", help="The data's licence, such as CC-BY-4.0.")
@click.option("--maintainer", metavar="NAME", help="Who looks after the dataset.")
@click.option("--github", metavar="USER", help="The maintainer's GitHub name.")
@click.option("--contact", metavar="TEXT", help="Whom to ask about the data: a name, a page or an address.")
@options.trusted
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=300.0, show_default=True, metavar="SECONDS",
    help="How long the reading of one store may take.",
)  # fmt: skip
@click.option(
    "--catalog", type=click.Choice(["local", "published"]), help="The catalog to register in.  [default: the bakery's]"
)
@options.bakery
@options.project
@options.common
def command(
    name: str | None,
    url: str | None,
    format: str,
    endpoint: str | None,
    trusted: tuple[str, ...],
    timeout: float,
    catalog: str | None,
    bakery: str | None,
    project: Path | None,
    **said: str | None,
) -> Reply:
    """Register a store that was made elsewhere.

    The store is opened without credentials, its facts are harvested as a bake's are, and a chunk of it is read: that
    is what 'public' means. With --url, feedstocks/ID/meta.yaml is written; ID is the last step of the address if it is
    left out. Without --url, all stores that the feedstock's meta.yaml (or LEAP's catalog.yaml) names are linked. A
    store that has not changed changes nothing.

    Refused, with the reason: stores that can't be reached or are not public, files that are no stores, and addresses
    that are none of the public internet, which are never connected to.
    """
    from bakehouse.cli.bakeries import place
    from bakehouse.cli.linking import How, link_all
    from bakehouse.cli.projects import project_root
    from bakehouse.storage.public import Allowed

    where = place(project_root(project), bakery)
    how = How(where, catalog, format, endpoint, Allowed.of(trusted), timeout)
    done = link_all(how, name, url, said)
    return _reply(done)


def _reply(done: list[Linked]) -> Reply:
    lines = [each.text for each in done if each.error is None]
    return Reply(
        "\n\n".join(lines), {"stores": [each.as_dict() for each in done]}, ok=all(each.error is None for each in done)
    )
