"""From a bakery's name to Beam's pipeline options."""

from __future__ import annotations

import os
from typing import Any

from bakehouse.errors import UsageError
from bakehouse.meta.project import Bakery

QUIET = ("apache_beam", "google", "urllib3", "asyncio")


def pipeline_options(bakery: Bakery, workers: int | None = None) -> Any:
    """Make Beam's options for a bakery.

    The direct runner works in this process, in threads: arrays are never copied between workers, and a worker can't
    die unnoticed.

    Raises
    ------
    UsageError
        If the runner is not built yet.
    """
    from apache_beam.options.pipeline_options import PipelineOptions

    if bakery.runner != "direct":
        raise UsageError(
            f"runner '{bakery.runner}' can't be used yet", "meta.yaml", None, "use a bakery with runner: direct"
        )
    count = workers or bakery.workers or os.cpu_count() or 1
    named = {
        "runner": "DirectRunner",
        "direct_running_mode": "in_memory",
        "direct_num_workers": count,
        "save_main_session": False,
    }
    return PipelineOptions(flags=[], **{**named, **bakery.options})


def keep_in_process(runner: Any) -> None:
    """Keep Beam's direct runner in this process.

    It would try Prism first, a program that it downloads where it is missing, and runs beside this process. Sessions
    that are interactive can't be run there, so that is what the runner is told; between its own engines it chooses as
    ever. A bakery whose options name another runner has that.
    """
    from apache_beam.runners.direct.direct_runner import SwitchingDirectRunner

    if isinstance(runner, SwitchingDirectRunner) and hasattr(runner, "is_interactive"):
        runner.is_interactive()


def quiet_beam() -> None:
    """Leave what went wrong to Bakehouse's own messages; Beam logs every exception with its traceback."""
    import logging
    import warnings

    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for message in (".*not in the Zarr version 3 specification", "Times can't be serialized faithfully"):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger().addFilter(lambda record: "apitools" not in record.getMessage())
