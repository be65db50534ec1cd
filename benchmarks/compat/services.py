"""The hosts and buckets that recipes read from, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.remote import _client, _free_port, _wait

HERE = Path(__file__).parent
FILL = """
import pathlib, boto3, sys
client, root = boto3.client("s3"), pathlib.Path(sys.argv[1])
for bucket in (each for each in root.glob("*") if each.is_dir()):
    client.create_bucket(Bucket=bucket.name, ACL="public-read")
    for path in filter(pathlib.Path.is_file, bucket.rglob("*")):
        client.upload_file(str(path), bucket.name, str(path.relative_to(bucket)), ExtraArgs={"ACL": "public-read"})
"""


@contextmanager
def serving(folder: Path, python: Path) -> Iterator[dict[str, str]]:
    """Serve the folder; give the environment in which recipes find it."""
    web, s3 = _free_port(), _free_port()
    moto = [str(python), "-c", "from moto.server import main; main()", "-p", str(s3), "-H", "127.0.0.1"]
    commands = ([sys.executable, str(HERE / "server.py"), str(web), str(folder)], moto)
    running = [subprocess.Popen(each, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for each in commands]
    try:
        _wait(web)
        _wait(s3)
        env = {"COMPAT_SOURCES": str(folder), **environment(f"http://127.0.0.1:{web}", f"http://127.0.0.1:{s3}")}
        subprocess.run([python, "-c", FILL, folder / "s3"], env={**os.environ, **env}, check=True)
        yield env
    finally:
        for server in running:
            server.terminate()
            server.wait()


def environment(web: str, s3: str) -> dict[str, str]:
    """Give what clients read from the environment."""
    own = {"COMPAT_BASE": web, "STORAGE_EMULATOR_HOST": web, "PYTHONPATH": str(HERE / "site")}
    return {**_client(s3), **own, "GOOGLE_CLOUD_PROJECT": "none"}
