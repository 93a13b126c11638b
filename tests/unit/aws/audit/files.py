"""Files with one thing that is wrong: a clean one, and changes laid over it."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crossfade.aws.audit.file import audit_file
from crossfade.aws.audit.finding import Finding
from crossfade.file.load import Loaded, load_whole
from crossfade.file.reading.document import read

FOLDER = Path(__file__).parent


@cache
def cases() -> Mapping[str, Any]:
    """Rule -> what breaks it, and what comes near."""
    return _content("cases.yaml")


def _content(name: str) -> dict[str, Any]:
    """As crossfade reads YAML, to which `on` is a word."""
    content: dict[str, Any] = read(FOLDER / name, name).plain()
    return content


def written(
    folder: Path, change: Mapping[str, Any] | None = None, *, without: Sequence[str] = (), environment: str = "prod"
) -> Path:
    """The clean file with a change in its environment, and without some of its services."""
    content = _content("clean.yaml")
    for service in without:
        del content["services"][service]
    content["environments"] = {environment: {"platform": "aws", **(change or {})}}
    path = folder / "crossfade.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def loaded(folder: Path, change: Mapping[str, Any] | None = None, **more: Any) -> Loaded:
    return load_whole(written(folder, change, **more), called="crossfade.yaml")


def found(folder: Path, change: Mapping[str, Any] | None = None, **more: Any) -> list[Finding]:
    return list(audit_file(loaded(folder, change, **more)))
