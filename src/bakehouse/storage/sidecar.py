"""What the input cache notes beside the copies that it keeps: which one is current, and what it was made from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from bakehouse.schema import Identity
from bakehouse.storage.source import Source


@dataclass(frozen=True)
class Kept:
    """What a sidecar says: of the source when it was copied (`identity`), and of the copy as it was stored (`copy`)."""

    url: str
    key: str
    size_bytes: int
    sha256: str
    identity: Identity
    copy: Identity
    before: str | None = None

    def to_json(self) -> bytes:
        """Write the sidecar."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes | None) -> Kept | None:
        """Read a sidecar; None if there is none, or none that can be read."""
        try:
            said = json.loads(data or b"")
            return cls(**{**said, "identity": Identity(**said["identity"]), "copy": Identity(**said["copy"])})
        except (ValueError, TypeError, KeyError):
            return None


def sidecar_of(source: Source) -> str:
    """Name the sidecar of an input; a mirror's files have their own, secrets in a query string don't count."""
    said = f"{source.url}\n{source.location.partition('?')[0]}"
    return f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.json"
