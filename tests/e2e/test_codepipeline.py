"""CodePipeline's deploy stage, as CodeBuild runs it: what the builds wrote down goes out on the rig, under load."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.rig import Rig
from tests.rig.place import APP
from tests.rig.rig import REGION, ROOT
from tests.support.shipped import LIMIT, PACE
from tests.support.shop_on_aws import Shop

from crossfade.aws.places import Places
from crossfade.aws.terraform.revision import revision
from crossfade.file.model import App

pytestmark = pytest.mark.long
SPEC, SCRIPT = "deploy/buildspec-release.yml", "deploy/release.py"
WEB = {"image": "acme/web", "resources": {"cpu": 0.5, "memory": "1G"}}
CROSSFADE = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m crossfade.cli.main "$@"\n'
PYTHON = f'#!/bin/sh\n[ "$1" = -m ] || exec {sys.executable} "$@"\n'  # crossfade is installed already


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


class Stage(Shop):
    """A commit's source beside what the build of it wrote; `ship` runs the stage and says its exit code."""

    def __init__(self, rig: Rig, app: str, folder: Path) -> None:
        super().__init__(rig, app, folder)
        pipeline = {"repository": "acme/shop"}
        given = {"app": app, "environment": "dev", "platform": "aws", "services": {"web": WEB}}
        written = revision(App.model_validate({**given, "cloud": {"pipeline": pipeline}}))
        (folder / "infrastructure/deploy").mkdir(parents=True)
        (folder / "infrastructure" / SCRIPT).write_text(written[SCRIPT])
        self.phases = yaml.safe_load(written[SPEC])["phases"]
        self.bin, self.repository = folder / "bin", Places(app, "dev").repository("web")
        self.bin.mkdir()
        for name, text in (("crossfade", CROSSFADE), ("python3", PYTHON)):
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)

    def ship(self, release: int, commit: str, fault: str = "") -> int:
        self.write(release, fault=fault)
        image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{self.repository}"
        digest = self.rig.images.add(f"{image}:{commit}", [sys.executable, str(APP)], environment={"COMMIT": commit})
        built = self.folder / f"built-{commit}"
        built.mkdir()
        (built / "image.json").write_text(json.dumps({"service": "web", "image": f"{image}@{digest}"}))
        said = {"ENVIRONMENT": "dev", "CROSSFADE": "crossfade[aws]", "CODEBUILD_SRC_DIR_image_web": str(built)}
        path = f"{self.bin}:{os.environ['PATH']}"
        env = {**self.variables, **said, "CODEBUILD_RESOLVED_SOURCE_VERSION": commit * 5, "PATH": path}
        for command in (one for phase in self.phases.values() for one in phase["commands"]):
            ran = subprocess.run(["bash", "-c", command], env=env, cwd=self.folder, timeout=LIMIT, check=False)
            if ran.returncode:
                return ran.returncode
        return 0


def test_what_the_builds_made_goes_out_by_its_digest_without_losing_a_request(rig: Rig, tmp_path: Path) -> None:
    """A release is called after its commit; a bad one makes the stage red, and visitors stay where they are."""
    stage = Stage(rig, "staged", tmp_path)
    with stage.visited() as visitors:
        assert stage.ship(1, "aaaaaaaaaaaa") == 0
        assert stage.ship(2, "bbbbbbbbbbbb") == 0
        assert stage.ship(3, "cccccccccccc", fault="broken") == 1
    assert not visitors.lost
    assert set(visitors.answers) == {"1", "2"}
    assert stage.releases() == [("cccccccccccc", "bad"), ("bbbbbbbbbbbb", "good"), ("aaaaaaaaaaaa", "good")]
    found = json.loads(stage.run("releases", "-e", "dev", "--json").out)["releases"]
    assert all(f"/{stage.repository}@sha256:" in one["digest"] for one in found)
    assert len({one["digest"] for one in found}) == 3
