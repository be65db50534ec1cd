"""Keep secrets out of what is shown: the values that this process knows, and what looks like a credential."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

HIDDEN = "***"
MIN_CHARACTERS = 6
_SECRET_NAME = re.compile(
    r"token|secret|passw|credential|private|signature|api_?key|access_?key|auth(?!or)|cookie|\bsas\b", re.I
)
_SECRET_OPTION = re.compile(rf"^(key|sas|pat)$|{_SECRET_NAME.pattern}", re.I)
_NO_SECRET = {"anon", "anonymous", "cloud", "browser", "cache", "google_default", "default", "false", "true", "none"}
_PATTERNS = (
    re.compile(r"(?<=://)[^/\s@'\"]+(?=@)"),
    re.compile(r"(?<=[?&;])((?:x-amz|x-goog)-(?:signature|credential|security-token)|sig|signature|awsaccesskeyid"
               r"|token|access_token|key|api_key|password)=[^&\s'\"<>)]+", re.I),
    re.compile(r"\b(?:basic|bearer)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{16,}", re.I),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|(?:AKIA|ASIA)[A-Z0-9]{16}|ya29\.[\w-]{20,})"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
)  # fmt: skip


def is_secret_name(name: str) -> bool:
    """Say whether a variable of the environment is called as one that holds a secret.

    Examples
    --------
    >>> is_secret_name("AWS_SECRET_ACCESS_KEY"), is_secret_name("GITHUB_SHA")
    (True, False)
    """
    return bool(_SECRET_NAME.search(name))


@dataclass(frozen=True)
class Mask:
    """Hides secrets in texts.

    Examples
    --------
    >>> Mask.of({"GITHUB_TOKEN": "hunter2-hunter2"})("push failed: hunter2-hunter2 at https://me:pw@example.org")
    'push failed: *** at https://***@example.org'
    """

    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ, *options: Mapping[str, Any]) -> Mask:
        """Hide the values of variables, and of options at any depth, whose names say that they are secret."""
        named = [value for name, value in environment.items() if is_secret_name(name)]
        found = {each for value in (*named, *_secrets(options)) for each in _spelled(value)}
        return cls(tuple(sorted(found, key=lambda each: (-len(each), each))))

    def __call__(self, text: str) -> str:
        """Give the text with every secret replaced."""
        for value in self.values:
            text = text.replace(value, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(_hidden, text)
        return text

    def document(self, value: Any) -> Any:
        """Give a JSON document with every secret in its texts replaced."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(str(key)): self.document(item) for key, item in value.items()}
        return [self.document(item) for item in value] if isinstance(value, list | tuple) else value


def _hidden(found: re.Match[str]) -> str:
    name, separator, _ = found.group().partition("=")
    return f"{name}={HIDDEN}" if separator and found.lastindex else HIDDEN


def _secrets(value: Any, secret: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(item, secret or bool(_SECRET_OPTION.search(str(key))))
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            yield from _secrets(item, secret)
    elif secret and value is not None:
        yield str(value)


def _spelled(value: str) -> Iterator[str]:
    """List the forms in which a secret may be shown: as it is, line by line, in JSON and in a URL."""
    for part in {value.strip(), *(line.strip() for line in value.splitlines())}:
        if len(part) >= MIN_CHARACTERS and part.lower() not in _NO_SECRET:
            yield from {part, json.dumps(part)[1:-1], repr(part)[1:-1], quote(part, safe="")}
