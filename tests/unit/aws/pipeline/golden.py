"""What `pipeline init` writes for the examples, kept to be read: `python -m tests.unit.aws.pipeline.golden`."""

import shutil
from pathlib import Path

from crossfade.aws.choose import on_aws
from crossfade.aws.pipeline.files import files

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "tests" / "golden" / "pipelines"
SYSTEMS = ("bluegreen", "codemate", "feedback", "teammoa", "tiketi")


def written(system: str) -> dict[str, str]:
    """Text by path. The dots in front are left out, so that no tool takes them for this repository's own."""
    texts = files(on_aws(ROOT / "examples" / system / "crossfade.yaml"))
    return {path.removeprefix("."): text for path, text in texts.items()}


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    for system in SYSTEMS:
        for name, text in written(system).items():
            path = FOLDER / system / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
