"""Runners of pipelines on this machine: `act` for GitHub Actions, `gitlab-ci-local` for GitLab CI.

Jobs run in a copy of the repository, on this machine itself. Actions are stand-ins: what `actions/checkout` and others
fetch is here already. What only the hosted services do is not played: approvals, path filters, concurrency.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ACT = shutil.which("act", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}")
GITLAB = Path(__file__).parents[1] / "pipelines" / "node_modules" / ".bin" / "gitlab-ci-local"
NOTHING = "name: stand-in\ndescription: is here already\nruns: {using: composite, steps: [{run: 'true', shell: sh}]}\n"
CHECKOUT = """\
name: stand-in
description: clones the repository that is here
inputs: {{ref: {{default: ""}}, fetch-depth: {{default: "1"}}, persist-credentials: {{default: ""}}}}
runs:
  using: composite
  steps:
    - run: git clone --quiet "{folder}" . && git checkout --quiet "$REF"
      shell: sh
      env: {{REF: "${{{{ inputs.ref || github.sha }}}}"}}
"""
ARTIFACTS = """\
name: stand-in
description: keeps artifacts in a folder
inputs: {{name: {{required: true}}, path: {{default: ""}}}}
runs:
  using: composite
  steps:
    - {{run: '{script}', shell: sh, env: {{NAME: "${{{{ inputs.name }}}}", FILES: "${{{{ inputs.path }}}}"}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    code: int
    said: str


def identity_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/?id=1"


@contextmanager
def identity(port: int = 0) -> Iterator[str]:
    """Where a job asks for its identity: the URL that GitHub gives it. `port` 0 is any."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"value": "who.this.is"}).encode()
            self.send_response(200 if self.headers["Authorization"] == "bearer token" else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield identity_url(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class Runner:
    """Runs pipelines of the repository in `folder`. `home` has what runners keep."""

    def __init__(self, folder: Path, home: Path, variables: Mapping[str, str]) -> None:
        self.folder, self.home = folder, home
        home.mkdir(parents=True, exist_ok=True)
        self.variables = {
            **{name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "CROSSFADE_", "GIT"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(home),
            **variables,
        }

    def git(self, *words: str) -> str:
        me = ("-c", "user.name=dev", "-c", "user.email=dev@example.com", "-c", "init.defaultBranch=main")
        done = subprocess.run(
            ["git", *me, *words], cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> Ran:
        process = self.begin(*words)
        said, _ = process.communicate(timeout=600)
        return Ran(code=process.returncode, said=said)


class Act(Runner):
    """GitHub's. `token_url` is where jobs get their identity, `own` variables that jobs see."""

    def __init__(self, folder: Path, home: Path, variables: Mapping[str, str], token_url: str) -> None:
        super().__init__(folder, home, {})
        self._jobs = {
            **variables,
            "ACTIONS_ID_TOKEN_REQUEST_URL": token_url,
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "token",
        }
        self._actions = home / "actions"
        kept = home / "artifacts"
        kept.mkdir(exist_ok=True)
        stored, fetched = f'cp $FILES "{kept}/"', f'cp "{kept}"/* .'
        for name, text in {
            "nothing": NOTHING,
            "checkout": CHECKOUT.format(folder=folder),
            "upload": ARTIFACTS.format(script=stored),
            "download": ARTIFACTS.format(script=fetched),
        }.items():
            (self._actions / name).mkdir(parents=True, exist_ok=True)
            (self._actions / name / "action.yml").write_text(text)

    def command(self, workflow: str, event: str, *, inputs: Mapping[str, str] | None = None) -> list[str]:
        path = f".github/workflows/{workflow}.yml"
        used = set(re.findall(r"uses: (\S+?)@(\S+)", (self.folder / path).read_text()))
        stood_in = {
            "actions/checkout": "checkout",
            "actions/upload-artifact": "upload",
            "actions/download-artifact": "download",
        }
        words = [str(ACT), event, "-W", path, "-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode"]
        words += [w for n, v in (inputs or {}).items() for w in ("--input", f"{n}={v}")]
        words += [w for n, v in self._jobs.items() for w in ("--env", f"{n}={v}")]
        for name in ("DEV", "PROD"):
            words += ["--var", f"CROSSFADE_ROLE_{name}=arn:aws:iam::123456789012:role/deployer"]
        for name, ref in sorted(used):
            where = self._actions / stood_in.get(name, "nothing")
            words += ["--local-repository", f"{name}@{ref}={where}"]
        return words

    def push(self) -> Ran:
        return self.run(*self.command("crossfade", "push"))


class GitLab(Runner):
    """GitLab's, by its shell executor."""

    def command(self, *words: str) -> list[str]:
        return [
            *("node", str(GITLAB), "--force-shell-executor", "--shell-isolation", "--no-color", *words),
            "--no-json-schema-validation",  # GitLab's own schema has a test of its own, which takes less
            *("--variable", "IDENTITY=who.this.is", "--variable", f"CI_BUILDS_DIR={self.home}"),
            *("--variable", "CROSSFADE_ROLE=arn:aws:iam::123456789012:role/deployer"),
        ]
