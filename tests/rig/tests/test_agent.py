"""The agent of CodeDeploy that instances of the rig have, in a folder of the test's own."""

import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.rig.ec2.guest import agent
from tests.rig.ec2.guest.agent import Agent

EVENTS = ("ApplicationStop", "DownloadBundle", "BeforeInstall", "Install", "AfterInstall", "ApplicationStart")
SPEC = """\
version: 0.0
os: linux
files:
  - {{source: app.txt, destination: {opt}}}
hooks:
  ApplicationStop:
    - {{location: say.sh, timeout: 30}}
  AfterInstall:
    - {{location: say.sh, timeout: 30}}
  ApplicationStart:
    - {{location: hangs.sh, timeout: 1}}
  ValidateService:
    - {{location: fails.sh}}
"""


class Bucket(BaseHTTPRequestHandler):
    """Revisions by their paths."""

    kept: dict[str, bytes]

    def do_GET(self) -> None:
        found = self.kept.get(self.path)
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class calls it so
        pass


class Host:
    """An instance: `deploy` takes it through events, and `told` is how each went."""

    def __init__(self, root: Path, endpoint: str, kept: dict[str, bytes]) -> None:
        self.opt, self.kept = root / "opt", kept
        keys = {"AWS_ACCESS_KEY_ID": "host", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": endpoint}
        self.agent = Agent({**keys, "PATH": os.environ["PATH"]})

    def bring(self, key: str, **files: str) -> None:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as zipped:
            for name, text in files.items():
                zipped.writestr(name.replace("_", "."), text)
        self.kept[f"/bucket/{key}"] = made.getvalue()

    async def deploy(self, key: str, *events: str, pace: float = 1.0) -> list[dict[str, str]]:
        asked = {"deployment": f"d-{key}", "application": "shop", "group": "web", "group_id": "g1", "bucket": "bucket"}
        return [await self.agent.carry({**asked, "key": key, "event": one, "pace": pace}) for one in events]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setattr(agent, "_ROOT", root)
    kept: dict[str, bytes] = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Bucket,), {"kept": kept})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Host(tmp_path, f"http://127.0.0.1:{server.server_port}", kept)
        server.shutdown()


def _say(word: str) -> str:
    return f"#!/bin/sh\necho {word} $LIFECYCLE_EVENT of $APPLICATION_NAME/$DEPLOYMENT_GROUP_NAME $DEPLOYMENT_ID\n"


def _revision(host: Host, word: str) -> dict[str, str]:
    scripts = {"say_sh": _say(word), "hangs_sh": "#!/bin/sh\necho waits\nsleep 60\n", "fails_sh": "#!/bin/sh\nexit 3\n"}
    return {"appspec_yml": SPEC.format(opt=host.opt), "app_txt": word, **scripts}


async def test_what_stops_is_the_revision_before(host: Host) -> None:
    """On a first deployment there is none to stop; its files make room for those of the next."""
    host.bring("one", **_revision(host, "one"))
    told = await host.deploy("one", *EVENTS[:-1])
    assert [one["errorCode"] for one in told] == ["Success"] * 5
    assert (told[0]["logTail"], told[4]["logTail"]) == ("", "[stdout]one AfterInstall of shop/web d-one\n")
    host.bring("two", **_revision(host, "two"))
    told = await host.deploy("two", *EVENTS[:-1])
    assert told[0]["logTail"] == "[stdout]one ApplicationStop of shop/web d-two\n"
    assert (host.opt / "app.txt").read_text() == "two"
    assert json.loads((agent._ROOT / "deployment-instructions/g1-cleanup").read_text()) == [f"{host.opt}/app.txt"]


async def test_a_script_that_fails_or_hangs_says_so(host: Host) -> None:
    """With its exit code or its limit, and what it wrote; limits are AWS's seconds, shorter by the pace."""
    host.bring("one", **_revision(host, "one"))
    await host.deploy("one", "DownloadBundle")
    hung, failed = await host.deploy("one", "ApplicationStart", "ValidateService", pace=10.0)
    assert (hung["errorCode"], hung["scriptName"], hung["logTail"]) == ("ScriptTimedOut", "hangs.sh", "[stdout]waits\n")
    assert hung["message"] == "Script at specified location: hangs.sh failed to complete in 1 seconds"
    assert (failed["errorCode"], failed["message"]) == (
        "ScriptFailed",
        "Script at specified location: fails.sh failed with exit code 3",
    )


async def test_what_cannot_be_brought_is_refused(host: Host) -> None:
    """Without an appspec, with a script that is not there, onto a file of somebody else's, or not in the bucket."""
    host.bring("bare", app_txt="x")
    (missing,) = await host.deploy("none", "DownloadBundle")
    _, bare = await host.deploy("bare", "DownloadBundle", "BeforeInstall")
    files = _revision(host, "one")
    del files["say_sh"]
    host.bring("less", **files)
    host.opt.mkdir()
    (host.opt / "app.txt").write_text("somebody's")
    _, less, there = await host.deploy("less", "DownloadBundle", "AfterInstall", "Install")
    assert "does not exist" in missing["message"]
    assert "did not find an AppSpec file" in bare["message"]
    assert (less["errorCode"], less["scriptName"]) == ("ScriptMissing", "say.sh")
    assert f"already exists: {host.opt}/app.txt" in there["message"]
