"""Small Parquet tables."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import io, os
import pyarrow as pa, pyarrow.parquet as pq
from bakehouse.storage.tables import read_table

def threads():
    return set(os.listdir("/proc/self/task"))

buffer = io.BytesIO()
pq.write_table(pa.table({"key": ["a", "b"] * 1000, "size": list(range(2000))}), buffer, row_group_size=100)
before = threads()
table = read_table(buffer.getvalue(), columns=["size"])
assert table.to_pydict() == {"size": list(range(2000))}
print(len(threads() - before))
pq.read_table(io.BytesIO(buffer.getvalue()))
print(len(threads() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_no_thread_of_arrows_is_left_that_could_abort_the_process_when_it_ends() -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    ours, arrows = (int(line) for line in ran.stdout.split())
    assert ours == 0
    assert arrows > 0, "Arrow's own reader starts no threads either: read_table can be its again"
