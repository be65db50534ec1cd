"""A worker process of the direct runner, which ends when its driver does: Beam's own waits for it for ever (2.77 does).

Run as ``python -m bakehouse.bake.worker DRIVER``, with the driver's process id.
"""

from __future__ import annotations

import os
import sys
import threading
import time

POLL_S = 1.0


def end_with(driver: int) -> None:
    """End this process once its parent is another one than its driver."""
    while os.getppid() == driver:
        time.sleep(POLL_S)
    os._exit(1)


def main() -> None:
    """Work for the driver, as long as there is one."""
    from apache_beam.runners.worker import sdk_worker_main

    driver = int(sys.argv.pop(1))
    threading.Thread(target=end_with, args=(driver,), daemon=True).start()
    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
