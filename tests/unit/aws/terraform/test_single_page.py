"""The function at the edge that gives pages of a single-page app their index.html."""

import json
import shutil
import subprocess

import pytest

from crossfade.aws.terraform.modules import texts

CODE = texts("delivery/cloudfront")["single-page.js"]


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/", "/index.html"),
        ("/events/42", "/index.html"),
        ("/events/", "/index.html"),
        ("/v1.2/notes", "/index.html"),
        ("/index.html", "/index.html"),
        ("/assets/app.3f9c1a.js", "/assets/app.3f9c1a.js"),
        ("/favicon.ico", "/favicon.ico"),
    ],
)
def test_only_paths_without_a_file_become_the_page(asked: str, served: str) -> None:
    """A dot in the last part of a path means a file, wherever else dots are."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    event = json.dumps({"request": {"uri": asked, "headers": {}}})
    done = subprocess.run(
        [node, "-e", f"{CODE}\nconsole.log(JSON.stringify(handler({event})));"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert json.loads(done.stdout) == {"uri": served, "headers": {}}
