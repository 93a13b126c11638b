"""What a Dockerfile says about its image."""

from pathlib import Path

from crossfade.file.init.dockerfile import parse_dockerfile, read_dockerfile

STAGES = """\
# syntax=docker/dockerfile:1
ARG VERSION=20
FROM node:${VERSION} AS build
EXPOSE 5173
CMD ["npm", "run", "dev"]
FROM build AS dev
FROM node:20-slim AS prod
ENV PORT=3000 NAME="two words"
ENV OLD style
EXPOSE ${PORT}/tcp 9229 53/udp
ENTRYPOINT ["docker-entrypoint.sh"]
HEALTHCHECK --interval=5s \\
  CMD curl -f http://localhost:3000/up \\
  || exit 1
CMD node server.js
"""


def test_the_last_stage_is_the_image() -> None:
    """Ports with variables filled in, both forms of a command, the healthcheck over several lines."""
    image = parse_dockerfile(STAGES)
    assert (image.base, image.ports) == ("node:20-slim", (3000, 9229))
    assert (image.entrypoint, image.command) == (["docker-entrypoint.sh"], "node server.js")
    assert image.check.split() == ["curl", "-f", "http://localhost:3000/up", "||", "exit", "1"]
    assert image.env == {"PORT": "3000", "NAME": "two words", "OLD": "style"}
    assert image.lines["EXPOSE"] == 10


def test_a_target_is_a_stage_with_what_it_stands_on() -> None:
    """`dev` adds nothing to `build`."""
    image = parse_dockerfile(STAGES, "dev")
    assert (image.base, image.ports, image.command) == ("node:20", (5173,), ["npm", "run", "dev"])


def test_no_file_is_no_image(tmp_path: Path) -> None:
    """Neither is a folder."""
    assert read_dockerfile(tmp_path / "Dockerfile") is None
    assert read_dockerfile(tmp_path) is None


def test_a_port_that_is_none_is_left_out() -> None:
    """65535 is the largest."""
    assert parse_dockerfile("FROM x\nEXPOSE 99999 80").ports == (80,)
