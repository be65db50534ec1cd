"""Icechunk as a store format: bakes commit to branches, publication moves ``main``, readers see one or the other."""

from bakehouse.writers.icechunk.branch import Branch
from bakehouse.writers.icechunk.repository import Repository, repository_at
from bakehouse.writers.icechunk.versions import Snapshot, collect, publish, published, rollback, snapshots
from bakehouse.writers.icechunk.view import SnapshotView

__all__ = [
    "Branch",
    "Repository",
    "Snapshot",
    "SnapshotView",
    "collect",
    "publish",
    "published",
    "repository_at",
    "rollback",
    "snapshots",
]
