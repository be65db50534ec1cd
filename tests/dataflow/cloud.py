"""A stand-in for Google Cloud on loopback: tokens, buckets and the Dataflow service, which runs what it is sent.

It speaks the JSON of the real services as far as Beam, Google's clients and Bakehouse use it. Nobody is let in who
brings no credentials.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google_crc32c import Checksum

WORKER = Path(__file__).with_name("worker.py")
PROJECT, REGION, BUCKET = "sea-project", "us-central1", "sea-scratch"
USAGE = {"TotalVcpuTime": 7200.0, "TotalMemoryUsage": 7200.0 * 6.5 * 1024, "TotalPdUsage": 3600.0 * 25}
ACTIVE = ("JOB_STATE_PENDING", "JOB_STATE_QUEUED", "JOB_STATE_RUNNING", "JOB_STATE_CANCELLING", "JOB_STATE_DRAINING")


@dataclass
class Cloud:
    """What the stand-in holds, and how it behaves."""

    folder: Path
    address: str = ""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    usage: dict[str, float] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)
    act: Callable[[Cloud, dict[str, Any]], None] | None = None
    """What becomes of a job; by default it is run."""
    broken: Callable[[str, str], int] = lambda method, path: 0
    """Says which requests fail: with a status, or -1 to hang up without an answer."""

    @property
    def endpoint(self) -> str:
        """Give the address of the Dataflow service; Beam speaks JSON to localhost, and to no other with a port."""
        return self.address.replace("127.0.0.1", "localhost")

    @property
    def bucket(self) -> Path:
        """Give the folder that holds the bucket's objects."""
        return self.folder / BUCKET

    def reset(self) -> None:
        """Forget all jobs and objects; end what still runs."""
        self.stop()
        self.jobs, self.messages, self.requests, self.usage = {}, {}, [], dict(USAGE)
        self.act, self.broken, self.environment = None, lambda method, path: 0, {}
        self.bucket.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.bucket.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def stop(self) -> None:
        """End the workers that still run."""
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def staged(self, job: Mapping[str, Any]) -> Path:
        """Give the folder that a job's files were staged in."""
        url = job["environment"]["sdkPipelineOptions"]["options"]["staging_location"]
        return self.folder / str(url).removeprefix("gs://")

    def graph_of(self, job: Mapping[str, Any]) -> bytes:
        """Give a job's graph, as it was staged where the job says."""
        url = job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
        return (self.folder / str(url).removeprefix("gs://")).read_bytes()

    def run(self, job: dict[str, Any]) -> None:
        """Run a job as its workers would, and set its state as the service would."""
        staged = self.staged(job)
        (wheel,) = staged.glob("bakehouse-*.whl")
        command = [sys.executable, "-P", str(WORKER), str(staged / "pipeline.pb"), str(wheel)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**self.environment})
        self.processes.append(process)
        _, said = process.communicate()
        if job["currentState"] == "JOB_STATE_RUNNING":
            self.messages[job["id"]] = [] if process.returncode == 0 else [said[-20000:]]
            job["currentState"] = "JOB_STATE_DONE" if process.returncode == 0 else "JOB_STATE_FAILED"

    def create(self, job: dict[str, Any]) -> dict[str, Any]:
        """Take a job, or give the one of that name that is active."""
        for there in self.jobs.values():
            if there["name"] == job["name"] and there["currentState"] in ACTIVE:
                return there
        now = time.time()
        stamp = time.strftime("%Y-%m-%d_%H_%M_%S", time.gmtime(now))
        job |= {"id": f"{stamp}-{uuid.uuid4().int % 10**19}", "currentState": "JOB_STATE_RUNNING"}
        job |= {"projectId": PROJECT, "location": REGION, "createTime": time.strftime("%FT%TZ", time.gmtime(now))}
        self.jobs[job["id"]] = job
        threading.Thread(target=self.act or Cloud.run, args=(self, job), daemon=True).start()
        return job

    def wait(self, state: str) -> dict[str, Any]:
        """Wait until there is a job in a state."""
        for _ in range(6000):
            for job in self.jobs.values():
                if job["currentState"] == f"JOB_STATE_{state}":
                    return job
            time.sleep(0.01)
        raise AssertionError(f"no job is {state}: {[job['currentState'] for job in self.jobs.values()]}")


def ends_as(state: str, *messages: str) -> Callable[[Cloud, dict[str, Any]], None]:
    """Let jobs end without doing anything."""

    def act(cloud: Cloud, job: dict[str, Any]) -> None:
        cloud.messages[job["id"]] = list(messages)
        job["currentState"] = f"JOB_STATE_{state}"

    return act


def stays(cloud: Cloud, job: dict[str, Any]) -> None:
    """Let a job run on and on."""


@contextmanager
def stand_in(folder: Path) -> Iterator[Cloud]:
    """Serve a cloud on loopback."""
    cloud = Cloud(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"cloud": cloud}))
    server.daemon_threads = True
    cloud.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    cloud.reset()
    try:
        yield cloud
    finally:
        cloud.stop()
        server.shutdown()
        server.server_close()
        thread.join()


def service_account(cloud: Cloud, path: Path) -> None:
    """Write the key of a service account, which gets its tokens from the stand-in."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(*form).decode()
    said = {"type": "service_account", "project_id": PROJECT, "private_key_id": "1", "private_key": key}
    said |= {"client_email": "baker@sea.example", "client_id": "1", "token_uri": f"{cloud.address}/token"}
    path.write_text(json.dumps(said))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cloud: Cloud
    uploads: dict[str, tuple[str, bytearray]] = {}

    def do_GET(self) -> None:
        self._handle("GET")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_PUT(self) -> None:
        self._handle("PUT")

    def do_DELETE(self) -> None:
        self._handle("DELETE")

    def log_message(self, *args: Any) -> None:
        pass

    def _handle(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        parts = urlsplit(self.path)
        self.query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.cloud.requests.append(f"{method} {parts.path}")
        status = self.cloud.broken(method, parts.path)
        if status:
            return self._fail(status)
        if parts.path != "/token" and not self.headers.get("Authorization", "").startswith("Bearer "):
            return self._reply(
                {"error": {"code": 401, "message": "nobody is logged in", "status": "UNAUTHENTICATED"}}, 401
            )
        for pattern, asked, answer in ROUTES:
            if asked == method and (found := re.fullmatch(pattern, parts.path)):
                return answer(self, *map(unquote, found.groups()))
        return self._reply({"error": {"code": 404, "message": f"{method} {self.path}", "status": "NOT_FOUND"}}, 404)

    def _fail(self, status: int) -> None:
        if status < 0:
            self.close_connection = True
            self.connection.close()
            return
        self._reply({"error": {"code": status, "message": "out of order", "status": "UNAVAILABLE"}}, status)

    def _reply(self, document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # tokens and buckets

    def token(self) -> None:
        self._reply({"access_token": "from-the-stand-in", "expires_in": 3600, "token_type": "Bearer"})

    def show_bucket(self, bucket: str) -> None:
        if bucket != BUCKET:
            return self._reply({"error": {"code": 404, "message": f"no bucket {bucket}"}}, 404)
        return self._reply({"kind": "storage#bucket", "id": bucket, "name": bucket, "projectNumber": "1"})

    def begin_upload(self, bucket: str) -> None:
        if self.query.get("uploadType") == "multipart":
            return self._multipart(bucket)
        name = self.query.get("name") or json.loads(self.body)["name"]
        upload = uuid.uuid4().hex
        self.uploads[upload] = (f"{bucket}/{name}", bytearray())
        url = f"{self.cloud.address}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload}"
        return self._reply({}, headers={"Location": url})

    def _multipart(self, bucket: str) -> None:
        boundary = b"--" + re.search(r"boundary=\"?([^\";]+)", self.headers["Content-Type"])[1].encode()  # type: ignore[index]
        about, data = (part.split(b"\r\n\r\n", 1)[1] for part in self.body.split(boundary)[1:3])
        self._reply(self._store(f"{bucket}/{json.loads(about)['name']}", data.removesuffix(b"\r\n")))

    def go_on_uploading(self, bucket: str) -> None:
        path, data = self.uploads[self.query["upload_id"]]
        data += self.body
        total = self.headers["Content-Range"].rpartition("/")[2]
        if total == "*" or len(data) < int(total):
            return self._reply({}, 308, {"Range": f"bytes=0-{len(data) - 1}"} if data else {})
        return self._reply(self._store(path, bytes(data)))

    def _store(self, path: str, data: bytes) -> dict[str, Any]:
        file = self.cloud.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return self._about(path, data)

    def _about(self, path: str, data: bytes) -> dict[str, Any]:
        bucket, _, name = path.partition("/")
        md5, crc32c = (
            base64.b64encode(each).decode() for each in (hashlib.md5(data).digest(), Checksum(data).digest())
        )
        return {"kind": "storage#object", "id": path, "name": name, "bucket": bucket, "generation": "1",
                "size": str(len(data)), "md5Hash": md5, "crc32c": crc32c}  # fmt: skip

    def show_object(self, bucket: str, name: str) -> None:
        file = self.cloud.folder / bucket / name
        if not file.is_file():
            return self._reply({"error": {"code": 404, "message": f"no object {name}"}}, 404)
        data = file.read_bytes()
        return self._reply(data if self.query.get("alt") == "media" else self._about(f"{bucket}/{name}", data))

    # the Dataflow service

    def create_job(self, *_: str) -> None:
        self._reply(self.cloud.create(json.loads(self.body)))

    def list_jobs(self, *_: str) -> None:
        wanted, jobs = self.query.get("name"), list(self.cloud.jobs.values())
        self._reply({"jobs": [_shortly(job) for job in jobs if wanted in (None, job["name"])]})

    def show_job(self, project: str, region: str, job_id: str) -> None:
        if (project, region) != (PROJECT, REGION) or job_id not in self.cloud.jobs:
            return self._reply({"error": {"code": 404, "message": f"no job {job_id}", "status": "NOT_FOUND"}}, 404)
        job, described = self.cloud.jobs[job_id], self.query.get("view") in ("3", "JOB_VIEW_DESCRIPTION")
        return self._reply({**_shortly(job), **({"labels": job["labels"]} if described else {})})

    def change_job(self, _: str, __: str, job_id: str) -> None:
        if json.loads(self.body)["requestedState"] in (5, "JOB_STATE_CANCELLED"):
            self.cloud.jobs[job_id]["currentState"] = "JOB_STATE_CANCELLED"
        self._reply(self.cloud.jobs[job_id])

    def list_messages(self, _: str, __: str, job_id: str) -> None:
        said = self.cloud.messages.get(job_id, [])
        self._reply({"jobMessages": [
            {"id": str(n), "time": f"2026-01-01T00:00:{n:02}Z", "messageText": text,
             "messageImportance": "JOB_MESSAGE_ERROR"} for n, text in enumerate(said)
        ]})  # fmt: skip

    def show_metrics(self, *_: str) -> None:
        self._reply({"metrics": [
            {"name": {"origin": "dataflow/v1b3", "name": name}, "scalar": value}
            for name, value in self.cloud.usage.items()
        ]})  # fmt: skip


def _shortly(job: dict[str, Any]) -> dict[str, Any]:
    """Show what the service's short views have of a job; labels are in none."""
    return {key: job[key] for key in ("id", "name", "currentState", "createTime", "projectId", "location")}


_JOBS = "/v1b3/projects/([^/]+)/locations/([^/]+)/jobs"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("/token", "POST", _Handler.token),
    ("/storage/v1/b/([^/]+)", "GET", _Handler.show_bucket),
    ("/upload/storage/v1/b/([^/]+)/o", "POST", _Handler.begin_upload),
    ("/upload/storage/v1/b/([^/]+)/o", "PUT", _Handler.go_on_uploading),
    ("/(?:download/)?storage/v1/b/([^/]+)/o/(.+)", "GET", _Handler.show_object),
    (_JOBS, "POST", _Handler.create_job),
    (_JOBS, "GET", _Handler.list_jobs),
    (f"{_JOBS}/([^/]+)", "GET", _Handler.show_job),
    (f"{_JOBS}/([^/]+)", "PUT", _Handler.change_job),
    (f"{_JOBS}/([^/]+)/messages", "GET", _Handler.list_messages),
    (f"{_JOBS}/([^/]+)/metrics", "GET", _Handler.show_metrics),
]
