"""The files of all pipelines that a crossfade.yaml asks for."""

from collections.abc import Iterator, Sequence

from crossfade.aws.pipeline import plan as planning
from crossfade.aws.pipeline.github import github
from crossfade.aws.pipeline.gitlab import gitlab
from crossfade.file.cloud.delivery import OF_CI
from crossfade.file.model import App

WRITERS = {"github": github, "gitlab": gitlab}


def asked_for(apps: Sequence[App]) -> list[str]:
    """Who runs jobs of CI, by the file."""
    return [by for by in OF_CI if any(app.cloud.pipeline and by in app.cloud.pipeline.by for app in apps)]


def files(apps: Sequence[App]) -> dict[str, str]:
    """Text by path from the repository's root."""
    return {path: text for by in asked_for(apps) for path, text in WRITERS[by](planning.plan(apps, by)).items()}


def hints(apps: Sequence[App]) -> Iterator[str]:
    """What the files cannot do before something else is there."""
    for by in asked_for(apps):
        yield from planning.missing(apps, by)
