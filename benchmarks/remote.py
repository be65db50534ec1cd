"""Inputs behind an S3 server on this machine, at a distance."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
KEYS = ("accesskey1", "secretkey1")


@contextmanager
def serving(folder: str, latency_s: float) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a folder as a bucket of its name; give its address and the environment that clients need."""
    if not latency_s:
        yield folder, {}
        return
    path, port = Path(folder), _free_port()
    command = [sys.executable, str(HERE / "far_server.py"), str(port), str(path.parent), str(latency_s)]
    server = subprocess.Popen(command)
    try:
        _wait(port)
        yield f"s3://{path.name}", client(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait()


def client(endpoint: str) -> dict[str, str]:
    """Give what s3fs and obstore read from the environment."""
    return {
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
    }


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def _wait(port: int, patience_s: float = 30) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
