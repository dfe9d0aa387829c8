"""Push: an exported folder on a model hub, by the hub's own client, and nothing but the files of an export.

The client is asked to send no telemetry, and to upload by HTTP (Git LFS), which is one kind of request to one server.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gansmith import __version__
from gansmith.errors import ExportError, OptionError
from gansmith.export.folder import NAMES
from gansmith.models.saved import read_card
from gansmith.system.extras import missing_extra

_REPO = "[A-Za-z0-9][A-Za-z0-9_.-]{0,94}"
_SETTINGS = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
_ORIGIN = {"gansmith", "networks", "recipe"}  # what the card of an export tells of where it comes from


def outgoing(folder: Path) -> dict[str, int]:
    """The files that would be sent, and their sizes in bytes: those of `gansmith export --to folder`, no other.

    Raises OptionError for a folder that is none, or whose description names the data.
    """
    missing = [name for name in NAMES if not (folder / name).is_file()]
    if missing:
        raise OptionError(
            f"{folder} is no exported folder, {missing[0]} is not there: gansmith export RUN --to folder --out FOLDER"
        )
    more = sorted({*read_card(folder / "generator.safetensors").origin} - _ORIGIN)
    if more:
        raise OptionError(
            f"{folder} says where its data comes from ({', '.join(more)}), so it was not written by gansmith export: "
            f"gansmith export RUN --to folder --out FOLDER"
        )
    return {name: (folder / name).stat().st_size for name in NAMES}


def require_repo(repo: str) -> None:
    """Raises OptionError for what is no name of a repository, `NAME` or `OWNER/NAME`."""
    if not re.fullmatch(f"({_REPO}/)?{_REPO}", repo, re.ASCII) or ".." in repo or "--" in repo or repo.endswith(".git"):
        raise OptionError(f"a repository is NAME or OWNER/NAME, letters, digits, - _ and . alone, not {repo!r}")


def require_client() -> Any:
    """The client, told to send no telemetry. Raises MissingExtraError without it."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise missing_extra("gansmith push needs the package huggingface_hub", "hub")
    os.environ.update({name: value for name, value in _SETTINGS.items() if name not in os.environ})
    return importlib.import_module("huggingface_hub")


def push(folder: Path, repo: str, *, public: bool = False, force: bool = False) -> str:
    """Send an exported folder to the repository `repo`, which is created, private unless `public`; -> its address.

    force: replace the files of a repository that exists; its visibility must be the one that is asked for, and stays.
    The hub's address is HF_ENDPOINT's, the token HF_TOKEN's or that of `hf auth login`. Raises OptionError,
    MissingExtraError, and ExportError for what the hub refuses or a network that is not there.
    """
    sizes = outgoing(folder)
    require_repo(repo)
    client = require_client()
    token = client.get_token()
    if not token:
        raise ExportError("the hub knows nobody without a token: set HF_TOKEN, or log in once with: hf auth login")
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
    api = client.HfApi(endpoint=endpoint, token=token, library_name="gansmith", library_version=__version__)
    with _explained(client, repo, api.endpoint):
        where = api.create_repo(repo, private=not public, exist_ok=force)
        full = str(where.repo_id)
        if force and bool(api.model_info(full).private) == public:
            raise ExportError(
                f"{full} exists and is {'private' if public else 'public'}, so nothing was sent: "
                f"{'leave --public out' if public else 'say --public, or take another name'}"
            )
        files = [client.CommitOperationAdd(path_in_repo=name, path_or_fileobj=str(folder / name)) for name in sizes]
        api.create_commit(full, files, commit_message="gansmith push")
    return f"{api.endpoint}/{full}"


@contextmanager
def _explained(client: Any, repo: str, endpoint: str) -> Iterator[None]:
    """What the hub refuses, as ExportError."""
    refused, transport = client.errors.HfHubHTTPError, client.errors.HTTPError
    try:
        with warnings.catch_warnings():  # the client's, of what it is built on
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                yield
            except RuntimeError as error:  # the client's, around what stopped an upload
                raise error.__cause__ or error from None
    except refused as error:
        status = getattr(error.response, "status_code", None)
        if status == 409:
            raise ExportError(f"{repo} exists already: take another name, or replace its files with --force") from None
        if status in (401, 403):
            raise ExportError(
                f"the hub refuses the token ({status}): it must exist and be allowed to write to {repo}"
            ) from None
        first = " ".join(str(error).split())[:200]
        raise ExportError(f"the hub at {endpoint} answers {status}, so {repo} is not whole: {first}") from None
    except (transport, OSError, RuntimeError) as error:
        first = " ".join(str(error).split())[:200]
        raise ExportError(f"the hub at {endpoint} cannot be reached, so {repo} is not whole: {first}") from None
