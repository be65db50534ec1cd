"""What the scenarios are made of: feedstocks, events of GitHub, and a project whose stores lie on loopback S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.github.act.bench import Bench, bench
from tests.github.standin import REPOSITORY
from tests.support.http import Server, serve
from tests.support.s3 import S3

ABOUT = """\
# yaml-language-server: $schema=../../schemas/feedstock.schema.json
title: {title}
description: A small dataset, to be baked by a test.
provenance: {{license: CC0-1.0, providers: [{{name: Bakehouse, roles: [producer]}}]}}
maintainers: [{{name: A baker, github: baker}}]
"""
DECLARED = """\
recipes:
  - id: {id}
    recipe: files_to_zarr
    with:
      pattern:
        url: "package://bakehouse/cli/starter/seasons_{{time:%Y}}.nc"
        concat: {{time: {{start: {start}, end: 2022, freq: YS}}}}
"""
IN_PYTHON = "recipes:\n  - {{id: {id}, object: 'recipe:recipe'}}\n"
PIPELINE = """\
import apache_beam as beam
from bakehouse.patterns import ConcatDim, FilePattern
from bakehouse.transforms import OpenURLWithFSSpec, OpenWithXarray, StoreToZarr

pattern = FilePattern(
    lambda time: f"package://bakehouse/cli/starter/seasons_{time}.nc", ConcatDim("time", [2021, 2022])
)
recipe = (
    beam.Create(pattern.items())
    | OpenURLWithFSSpec()
    | OpenWithXarray()
    | StoreToZarr(store_name="demo.zarr", combine_dims=pattern.combine_dim_keys)
)
"""


def feedstock(name: str, *, title: str = "Winds", start: int = 2021, update: str = "") -> dict[str, str]:
    """Give the files of a feedstock without Python."""
    text = ABOUT.format(title=title) + DECLARED.format(id=name, start=start) + update
    return {f"feedstocks/{name}/meta.yaml": text}


def python_feedstock(name: str, before: str = "") -> dict[str, str]:
    """Give the files of a feedstock whose recipe does something before it is a recipe."""
    return {
        f"feedstocks/{name}/meta.yaml": ABOUT.format(title="Winds") + IN_PYTHON.format(id=name),
        f"feedstocks/{name}/recipe.py": before + PIPELINE,
    }


@contextmanager
def kitchen(folder: Path, s3: S3 | None = None, engine: bool = False) -> Iterator[Bench]:
    """Make a project, or copy this repository; with S3, its stores lie there, and its bakes are published."""
    if s3 is None:
        with bench(folder, {}, engine=engine) as made:
            yield made
        return
    bucket = s3.new_bucket()
    _let_everybody_read(bucket)
    with bench(folder, {"meta.yaml": cloud_project(bucket)}, bucket.environment) as made:
        made.variables |= {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/bakehouse", "AWS_REGION": bucket.region}
        yield made


def _let_everybody_read(bucket: S3) -> None:
    """Make a bucket one for publishing, as the guide asks for."""
    import boto3

    keys = {"aws_access_key_id": bucket.key, "aws_secret_access_key": bucket.secret, "region_name": bucket.region}
    allowed = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:HeadObject", "s3:ListBucket"]}
    places = [f"arn:aws:s3:::{bucket.bucket}", f"arn:aws:s3:::{bucket.bucket}/*"]
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": places}]}
    client = boto3.client("s3", endpoint_url=bucket.endpoint, **keys)
    client.put_bucket_policy(Bucket=bucket.bucket, Policy=json.dumps(policy))


def cloud_project(s3: S3) -> str:
    """Write a project's meta.yaml with a bakery on S3."""
    options = {"client_kwargs": {"endpoint_url": s3.endpoint, "region_name": s3.region}}
    cloud = {"runner": "direct", "target": f"{s3.url}/stores", "catalog": "published", "storage_options": options}
    bakeries = {"cloud": cloud, "local": {"runner": "direct", "target": ".bakehouse/stores", "catalog": "local"}}
    return yaml.safe_dump({"title": "Tests", "default_bakery": "cloud", "bakeries": bakeries}, sort_keys=False)


def pull_request(
    made: Bench, files: dict[str, str], branch: str = "change", title: str = "Add winds", repo: str = REPOSITORY
) -> tuple[int, dict[str, Any]]:
    """Open a pull request, from a branch here or a fork; give its number and the event."""
    base, sha = made.at(), made.commit(files, title, branch)
    files_of = [_file(line) for line in made.git("diff", "--name-status", base, sha).splitlines()]
    number = made.hub.add_pull(title, branch, sha, base_sha=base, repo=repo, files=files_of)
    made.git("push", "--quiet", "--force", "origin", f"{sha}:refs/pull/{number}/head")
    return number, {"action": "opened", "number": number, "pull_request": made.hub.pulls[number]}


def _file(line: str) -> dict[str, Any]:
    """Describe a changed file as GitHub does, from git's letter and path."""
    status, path = line.split("\t")
    return {"filename": path, "status": {"A": "added", "M": "modified", "D": "removed"}[status], "sha": "0" * 40}


def merge(made: Bench, files: dict[str, str], title: str = "Add winds") -> tuple[int, dict[str, Any]]:
    """Merge a pull request; give its number and the event of the push."""
    before, sha = made.at(), made.commit(files, title)
    number = made.hub.add_pull(title, "change", sha, base_sha=before)
    made.hub.pulls[number].update(merged=True, merged_at="2026-01-01T00:00:00Z", merge_commit_sha=sha, state="closed")
    made.hub.issues[number]["state"] = "closed"
    return number, {"before": before, "after": sha, "ref": "refs/heads/main"}


def bake_event(name: str, **inputs: str) -> dict[str, Any]:
    """Give the event of a run that somebody starts by hand."""
    return {"ref": "refs/heads/main", "inputs": {"feedstock": name, "mode": "bake", **inputs}}


def checked(made: Bench, number: int, conclusion: str) -> dict[str, Any]:
    """Give the event that follows a check."""
    head = made.hub.pulls[number]["head"]
    about = {
        "id": 4711, "event": "pull_request", "conclusion": conclusion, "head_sha": head["sha"],
        "head_branch": head["ref"], "head_repository": head["repo"], "name": "Check", "pull_requests": [],
        "html_url": f"https://github.com/{REPOSITORY}/actions/runs/4711",
    }  # fmt: skip
    return {"action": "completed", "workflow_run": about}


def said_event(made: Bench, number: int, body: str, login: str) -> dict[str, Any]:
    """Comment under a pull request as somebody, and give the event."""
    comment = made.hub.comment(number, body, login)
    return {"action": "created", "issue": made.hub.issues[number], "comment": comment}


def opened_event(made: Bench, number: int) -> dict[str, Any]:
    """Give the event of an issue that was opened."""
    return {"action": "opened", "issue": made.hub.issues[number]}


@contextmanager
def shelf(folder: Path) -> Iterator[Server]:
    """Serve a small zarr store on loopback HTTP."""
    import numpy as np
    import xarray as xr

    time = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]").astype("datetime64[ns]")
    ice = xr.Dataset({"ice": (("time", "x"), np.arange(12.0).reshape(4, 3), {"units": "1"})}, {"time": time})
    ice.to_zarr(folder / "www" / "ice.zarr", consolidated=True)
    with serve(folder / "www") as server:
        yield server
