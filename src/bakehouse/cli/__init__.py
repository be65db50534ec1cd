"""The command line: parse and print. Each command imports what it needs when it runs."""

from __future__ import annotations

from bakehouse.cli.bake import command as _bake
from bakehouse.cli.catalog import command as _catalog
from bakehouse.cli.ci import command as _ci
from bakehouse.cli.doctor import command as _doctor
from bakehouse.cli.explain import command as _explain
from bakehouse.cli.gc import command as _gc
from bakehouse.cli.group import VERSION, Bakehouse
from bakehouse.cli.import_ import command as _import
from bakehouse.cli.init import command as _init
from bakehouse.cli.link import command as _link
from bakehouse.cli.lint import command as _lint
from bakehouse.cli.new import command as _new
from bakehouse.cli.open import command as _open
from bakehouse.cli.plan import command as _plan
from bakehouse.cli.rollback import command as _rollback
from bakehouse.cli.status import command as _status
from bakehouse.cli.test import command as _test
from bakehouse.cli.update import command as _update
from bakehouse.cli.verify import command as _verify

__all__ = ["main"]

HELP = """Turn archives into analysis-ready, cloud-optimised datasets.

A feedstock says what a dataset is and how it is made. 'plan' says what a bake would do, 'test' tries it on the first
inputs, 'bake' makes the store, compares it with its sources and registers it in the catalog, 'update' adds what has
come since.

Exit status: 0 all is well, 1 findings or a failed bake, 2 wrong usage.
"""
COMMANDS = (
    *(_init, _new, _import, _lint, _explain, _plan, _test, _bake, _update, _verify, _status, _rollback, _gc),
    *(_link, _catalog, _open, _doctor, _ci),
)

main = Bakehouse("bakehouse", help=HELP, params=[VERSION], commands=COMMANDS)
