"""Two services of one app go out as one on AWS, as codemate's frontend and backend do, with visitors at both."""

import http.client
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from tests.rig import Rig
from tests.rig.place import make
from tests.support.shipped import LIMIT, PACE, Ran, Shipped, asked, repeated

pytestmark = pytest.mark.long
WELL = 30  # answers in a row, a tenth of a second apart

FILE = """
app: {app}
services:
  frontend:
    image: {frontend}
    port: 8080
    replicas: 1
    resources: {{cpu: 0.5, memory: 1G}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    env: {{RELEASE: "frontend {release}"}}
    deploy: {{strategy: rolling, max_surge: 100%, bake: 0s, keep_previous: 0s, rollback_on: {{min_requests: 0}}}}
  backend:
    image: {backend}
    port: 8080
    replicas: 1
    resources: {{cpu: 0.5, memory: 1G}}
    health: {{path: /health, interval: 6s, timeout: 2s}}
    drain: 2s
    env: {{RELEASE: "backend {release}", FAULT: "{fault}"}}
    deploy: {{strategy: rolling, max_surge: 100%, bake: 0s, keep_previous: 0s, rollback_on: {{min_requests: 0}}}}
    routes: [{{path: /api/*}}, {{path: /socket.io/*}}]
environments:
  dev: {{platform: aws}}
"""


class Codemate(Shipped):
    """Both services behind one load balancer, and the folder that they are shipped from."""

    def __init__(self, rig: Rig, app: str, folder: Path) -> None:
        super().__init__(rig, folder)
        self.app = app
        self.frontend = make(rig, app, service="frontend", desired=1)
        self.backend = make(rig, app, service="backend", desired=1, beside=self.frontend, path="/api/*")
        self.address = rig.address_of(self.frontend.load_balancer)

    def deploy(self, release: int, fault: str = "") -> Ran:
        known = {"app": self.app, "frontend": self.frontend.image, "backend": self.backend.image}
        self.file(FILE.format(**known, release=release, fault=fault))
        return self.run("deploy", "-e", "dev", "--version", f"v{release}", "--json")

    @contextmanager
    def visited(self) -> Iterator[tuple[Counter[str], Counter[str]]]:
        """Answers, and what went wrong."""
        answers, lost = Counter[str](), Counter[str]()

        def visit(path: str) -> None:
            try:
                status, said, _ = asked(self.address, path)
            except (OSError, http.client.HTTPException) as error:
                lost[f"{path} {type(error).__name__}"] += 1
            else:
                (answers if status == 200 else lost)[said if status == 200 else f"{path} {status}"] += 1

        self._await("/", "/api/me")
        with repeated(*(partial(visit, path) for path in ("/", "/api/me"))):
            yield answers, lost

    def _await(self, *paths: str) -> None:
        """Until each is answered for a while: the rule of a path comes to a load balancer later than what answers all
        others, and the tasks that it leads to may come later still.
        """
        deadline = time.monotonic() + LIMIT
        for path in paths:
            well = 0
            while time.monotonic() < deadline and well < WELL:
                with suppress(OSError, http.client.HTTPException):
                    well = well + 1 if asked(self.address, path)[0] == 200 else 0
                time.sleep(0.1)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig(pace=PACE, lag=2) as rig:
        yield rig


def test_both_services_go_out_and_back_as_one_without_losing_a_request(rig: Rig, tmp_path: Path) -> None:
    """All out, or all back: a backend that answers errors takes the frontend back with it."""
    codemate = Codemate(rig, "codemate", tmp_path)
    with codemate.visited() as (answers, lost):
        first = codemate.deploy(1)
        assert first.code == 0, first.out + first.err
        second = codemate.deploy(2)
        assert second.code == 0, second.out + second.err
        broken = codemate.deploy(3, fault="broken")
        assert broken.code == 1, broken.out + broken.err
    assert not lost
    assert {"frontend 2", "backend 2"} <= answers.keys()
    assert "backend 3" not in answers
    said = {asked(codemate.address, path)[1] for path in ("/", "/api/me")}
    assert said == {"frontend 2", "backend 2"}
    for service in ("frontend", "backend"):
        assert codemate.releases(service)[0][1] != "good", service
