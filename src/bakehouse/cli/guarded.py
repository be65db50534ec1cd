"""The command line in a process that reaches public addresses only: ``python -m bakehouse.cli.guarded COMMAND…``."""

from __future__ import annotations


def main() -> None:
    """Watch connections from now on, then be the command line."""
    from bakehouse.github.addresses import install

    install()
    from bakehouse.cli import main as command_line

    command_line(prog_name="bakehouse")


if __name__ == "__main__":
    main()
