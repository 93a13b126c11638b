"""What CodeBuild does, run as CodeBuild runs it. Docker, git and AWS are stand-ins that write their calls down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.unit.aws.terraform.files import app

from crossfade.aws.terraform.revision import revision

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-prod/web"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
IMAGE = f"{REPOSITORY}:{COMMIT[:12]}"
DIGEST = f"sha256:{'7' * 64}"
STAND_IN = """\
#!/bin/bash
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
  "aws ecr describe-images"*"--query"*) echo "$DIGEST" ;;
  "aws ecr describe-images"*) exit "$MISSING" ;;
  "git tag"*) echo "$VERSIONS" ;;
esac
"""


class Build:
    def __init__(self, root: Path) -> None:
        self.root, self.calls, self.bin = root, root / "calls", root / "bin"
        self.bin.mkdir()
        for name in ("aws", "crossfade", "docker", "git"):
            (self.bin / name).write_text(STAND_IN)
            (self.bin / name).chmod(0o755)
        self.source = root / "source"
        self.source.mkdir()

    def run(self, spec: str, **variables: str) -> list[str]:
        """All commands of a specification, in order; what was asked of the stand-ins."""
        found = yaml.safe_load(revision(app(pipeline={"repository": "acme/shop"}, site={}))[f"deploy/{spec}"])
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.calls), **variables}
        for phase in found["phases"].values():
            for command in phase["commands"]:
                subprocess.run(["bash", "-c", command], cwd=self.source, env=environment, check=True, timeout=30)
        return self.calls.read_text().splitlines()

    def image(self, *, there: bool = False, latest: bool = False, versions: str = "") -> list[str]:
        return self.run(
            "buildspec.yml",
            SERVICE="web",
            REPOSITORY_URL=REPOSITORY,
            REPOSITORY_NAME="shop-prod/web",
            LATEST=str(latest).lower(),
            CODEBUILD_RESOLVED_SOURCE_VERSION=COMMIT,
            DIGEST=DIGEST,
            MISSING="0" if there else "254",
            VERSIONS=versions,
        )


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def test_the_pipeline_learns_which_image_it_is(build: Build) -> None:
    """image.json names the service and its image by digest, which no push can move."""
    build.image()
    written = json.loads((build.source / "image.json").read_text())
    assert written == {"service": "web", "image": f"{REPOSITORY}@{DIGEST}"}


def test_an_image_is_called_after_commit_version_and_latest(build: Build) -> None:
    """The commit always, its version tags when it has some, `latest` where it may move."""
    pushed = [
        call.removeprefix("docker push ") for call in build.image(latest=True, versions="v1.4.2") if "push" in call
    ]
    assert pushed == [IMAGE, f"{REPOSITORY}:v1.4.2", f"{REPOSITORY}:latest"]


def test_a_commit_is_built_once(build: Build) -> None:
    """An image that is there is neither built nor pushed again, and still deployed."""
    calls = build.image(there=True)
    assert [call for call in calls if call.startswith(("docker build", "docker push"))] == []
    assert json.loads((build.source / "image.json").read_text())["image"] == f"{REPOSITORY}@{DIGEST}"


@pytest.mark.parametrize(("dockerfile", "context"), [("web/Dockerfile", "web"), ("Dockerfile", ".")])
def test_a_service_is_built_in_its_folder(build: Build, dockerfile: str, context: str) -> None:
    """In the service's own folder when that has a Dockerfile, else at the top."""
    file = build.source / dockerfile
    file.parent.mkdir(exist_ok=True)
    file.write_text("FROM scratch\n")
    assert f"docker build --tag {IMAGE} {context}" in build.image()


def test_pages_are_uploaded_after_what_they_name(build: Build) -> None:
    """The site is built, its assets come first and its pages last, then the edges ask again."""
    calls = build.run(
        "buildspec-site.yml",
        BUILD="mkdir dist && touch dist/index.html",
        FOLDER="dist",
        BUCKET="site-1",
        DISTRIBUTION="E1",
    )
    assert (build.source / "dist" / "index.html").is_file()
    assert calls == [
        "aws s3 sync dist s3://site-1 --exclude *.html",
        "aws s3 sync dist s3://site-1 --exclude * --include *.html",
        "aws cloudfront create-invalidation --distribution-id E1 --paths /*",
    ]


def test_a_site_that_does_not_build_is_not_uploaded(build: Build) -> None:
    """A failed build ends the release before anything is uploaded."""
    with pytest.raises(subprocess.CalledProcessError):
        build.run("buildspec-site.yml", BUILD="exit 3", FOLDER="dist", BUCKET="site-1", DISTRIBUTION="E1")
    assert not build.calls.exists()


def test_what_was_built_is_deployed_together(build: Build) -> None:
    """The images of all builds are in the file by digest, for this environment alone, before one deploy of all."""
    file = {
        "app": "shop",
        "services": {"web": {"image": "acme/web"}, "api": {"image": "acme/api"}},
        "environments": {"dev": {}, "prod": {"services": {"web": {"replicas": 3}}}},
    }
    (build.source / "crossfade.yaml").write_text(yaml.safe_dump(file))
    (build.source / "infrastructure/deploy").mkdir(parents=True)
    script = revision(app(pipeline={"repository": "acme/shop"}))["deploy/release.py"]
    (build.source / "infrastructure/deploy/release.py").write_text(script)
    images = {name: f"{REPOSITORY.removesuffix('web')}{name}@{DIGEST}" for name in ("web", "api")}
    folders = {}
    for name, image in images.items():
        folder = build.root / f"image_{name}"
        folder.mkdir()
        (folder / "image.json").write_text(json.dumps({"service": name, "image": image}))
        folders[f"CODEBUILD_SRC_DIR_image_{name}"] = str(folder)
    (build.bin / "python3").write_text(f'#!/bin/bash\n[ "$1" = -m ] || exec {sys.executable} "$@"\n')
    (build.bin / "python3").chmod(0o755)

    calls = build.run(
        "buildspec-release.yml",
        ENVIRONMENT="prod",
        CROSSFADE="crossfade[aws]",
        CODEBUILD_RESOLVED_SOURCE_VERSION=COMMIT,
        **folders,
    )

    assert calls == [f"crossfade deploy -e prod --version {COMMIT[:12]}"]
    written = yaml.safe_load((build.source / "crossfade.yaml").read_text())
    assert written["environments"] == {
        "dev": {},
        "prod": {"services": {"web": {"replicas": 3, "image": images["web"]}, "api": {"image": images["api"]}}},
    }
    assert written["services"] == file["services"]
