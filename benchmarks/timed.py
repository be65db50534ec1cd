"""Run a command and write what it used to a file: ``timed.py USAGE.json COMMAND...``.

A process of its own, because the kernel adds the bytes and the processor time of processes that have been waited for
to those of who waited: this one has nothing else to count. It imports little, so that it weighs nothing.
"""

import json
import os
import sys
import time


def io() -> dict[str, int]:
    """Give the bytes that this process and its waited-for children read and wrote so far, page cache included."""
    with open("/proc/self/io") as file:
        return {key: int(value) for key, value in (line.split(": ") for line in file)}


def main() -> int:
    """Run the command; give its exit status."""
    usage, *command = sys.argv[1:]
    before, started = io(), time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall, after = time.monotonic() - started, io()
    found = {
        "wall_s": wall,
        "cpu_s": used.ru_utime + used.ru_stime,
        "read_bytes": after["rchar"] - before["rchar"],
        "written_bytes": after["wchar"] - before["wchar"],
    }
    with open(usage, "w") as file:
        json.dump(found, file)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        print(f"Error: ended by signal {-code}", file=sys.stderr)
    return code & 0xFF


if __name__ == "__main__":
    sys.exit(main())
