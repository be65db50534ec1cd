"""What a process that runs recipes gets of a job's environment: nothing that could act on GitHub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bakehouse.errors import UsageError
from bakehouse.github.masking import is_secret_name

_OURS = ("GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_", "GH_", "GIT_")
_ALLOWED = {
    *("PATH", "LD_LIBRARY_PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "VIRTUAL_ENV", "CI", "SOURCE_DATE_EPOCH"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
}
_ALLOWED_PREFIXES = ("LC_", "PYTHON", "BAKEHOUSE_")
_CREDENTIALS = (
    *("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "AZURE_CLIENT_SECRET"),
)
_NO_METADATA = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "NO_GCE_CHECK": "true",
}


def recipe_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what reviewed recipes get: all that the workflow gave the job, but nothing of GitHub's.

    Examples
    --------
    >>> recipe_environment({"GITHUB_TOKEN": "x", "AWS_SESSION_TOKEN": "y", "PATH": "/bin"})
    {'AWS_SESSION_TOKEN': 'y', 'PATH': '/bin'}
    """
    return {name: value for name, value in environment.items() if not name.startswith(_OURS)}


def stranger_environment(home: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give what recipes get that nobody has merged: what Python needs, and a home of its own.

    Examples
    --------
    >>> sorted(stranger_environment(Path("/tmp/h"), {"PATH": "/bin", "AWS_PROFILE": "x", "BAKEHOUSE_TOKEN": "y"}))
    ['AWS_CONFIG_FILE', 'AWS_EC2_METADATA_DISABLED', 'AWS_SHARED_CREDENTIALS_FILE', 'HOME', 'NO_GCE_CHECK', 'PATH']
    """
    kept = {name: value for name, value in environment.items() if _is_allowed(name)}
    return {**kept, **_NO_METADATA, "HOME": str(home)}


def _is_allowed(name: str) -> bool:
    return name in _ALLOWED or (name.startswith(_ALLOWED_PREFIXES) and not is_secret_name(name))


def insist_no_credentials(environment: Mapping[str, str] = os.environ) -> None:
    """Refuse to run strangers' recipes below a process with credentials: any of its children can read them.

    Raises
    ------
    UsageError
        If there are some.
    """
    found = [name for name in _CREDENTIALS if environment.get(name)]
    if found:
        cause = "a recipe can read the environment of the process that started it"
        fix = "run it in a job with 'permissions: {contents: read}' and none of these in its env"
        raise UsageError(f"the job has credentials: {', '.join(found)}", None, cause, fix)
