"""From `infra apply` to two services that go out together, and back together: codemate's, as its file has them."""

import sys
from contextlib import ExitStack

import pytest
from tests.rig import Rig
from tests.rig.place import APP
from tests.support.applied import applied, asked, door, visited
from tests.support.shipped import Ran, Shipped

from crossfade.aws.places import Places

pytestmark = [pytest.mark.slow, pytest.mark.applies, pytest.mark.walks, pytest.mark.timeout(3600)]
REGION = "ap-northeast-2"
PLACES = Places("codemate", "dev")
SERVICES = ("frontend", "backend")
SECRETS = ("NEXTAUTH_SECRET", "DATABASE_URL", "JWT_SECRET", "LLM_API_KEY")
_DRAINS = "    drain: {}\n    idle_timeout: 1h\n    sticky: {{ttl: 1d}}\n"
_SETTINGS = "{{env: {{NEXTAUTH_URL: https://codemate-dev.code1398.io}}{}}}"
# No Docker builds the images, and what the team waits for is as much shorter as the rig is faster.
HERE = {
    **{f"image: codemate/{name}": f"image: codemate/{name}:v1" for name in SERVICES},
    **{_DRAINS.format("300s") + then: _DRAINS.format("15s") + then for then in ("    secrets", "    routes")},
    _SETTINGS.format(""): _SETTINGS.format(", deploy: {timeout: 60s}"),
    "        env: &told": "        deploy: {timeout: 60s}\n        env: &told",
}


def test_codemate_ships_both_services_to_what_its_terraform_made(
    rig: Rig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Under load on the pages and on the API: nothing is lost, and a sick API takes the pages back with it."""
    home, scratch = tmp_path_factory.mktemp("codemate"), tmp_path_factory.mktemp("terraform")
    with applied(rig, "codemate", HERE, home, scratch) as project:
        shipped, file = Shipped(rig, project.home), project.file.read_text()
        url = door(rig, REGION, PLACES.prefix)
        for secret in SECRETS:
            ran = shipped.run("secrets", "set", secret, "-e", "dev", "--command", "echo correct horse")
            assert ran.code == 0, ran.out + ran.err

        def deploy(release: str, fault: str = "") -> Ran:
            for name in SERVICES:
                image = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{PLACES.repository(name)}:{release}"
                told = {"RELEASE": f"{name} {release}", "FAULT": fault if name == "backend" else ""}
                rig.images.add(image, [sys.executable, str(APP)], environment=told)
            project.file.write_text(file.replace(":v1", f":{release}"))
            return shipped.run("deploy", "-e", "dev", "--version", release)

        def answers() -> list[str]:
            return [asked(f"{url}/"), asked(f"{url}/api/rooms")]

        with visited(url), visited(f"{url}/api/rooms"):  # by whom the first one is judged
            first = deploy("v1")
        assert (first.code, answers()) == (0, ["frontend v1", "backend v1"]), first.out + first.err
        with ExitStack() as stack:
            seen = [stack.enter_context(visited(where)) for where in (url, f"{url}/api/rooms")]
            second = deploy("v2")
            assert (second.code, answers()) == (0, ["frontend v2", "backend v2"]), second.out + second.err
            sick = deploy("v3", "sick")
            assert (sick.code, answers()) == (1, ["frontend v2", "backend v2"]), sick.out + sick.err
            for name in SERVICES:
                back = shipped.run("rollback", name, "-e", "dev")
                assert back.code == 0, back.out + back.err
        assert answers() == ["frontend v1", "backend v1"]
        for (report,) in seen:
            assert (report.failed, report.requests > 100) == (0, True), report.losses
        assert shipped.releases("backend")[0] == ("v3", "bad")
        assert shipped.releases("frontend")[0] != ("v3", "good")
