"""How what Compose's volumes hold gets into ours, in the very commands."""

from crossfade.file.init.compose.source.mounts import our_name
from crossfade.file.init.compose.source.project import Project


def begins_empty(volume: str) -> str:
    """What a volume with a name needs, whoever mounts it."""
    return f"bring along what Compose's volume {volume} holds: it begins empty here"


def copied(project: Project, volume: str, app: str, *, alone: bool = False) -> str:
    """A copy from theirs into ours, which is there after a first deploy. `alone`: nothing else may be in it, such as
    what a database began with.
    """
    ours = f"label=crossfade.app={app} --filter label=crossfade.volume={our_name(volume)}"
    theirs = project.docker_name("volumes", volume)
    into = f"$(docker volume ls -q --filter {ours})"
    copy = "sh -c 'rm -rf /to/* && cp -a /from/. /to'" if alone else "cp -a /from/. /to"
    return f"docker run --rm -v {theirs}:/from:ro -v {into}:/to busybox {copy}"
