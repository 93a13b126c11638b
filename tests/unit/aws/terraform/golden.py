"""What `infra init` writes, kept to be read: `python -m tests.unit.aws.terraform.golden` writes it again."""

import shutil
from pathlib import Path

from crossfade.aws.terraform.environment import files
from crossfade.file.load import load

ROOT = Path(__file__).parents[4]
FOLDER = ROOT / "tests" / "golden" / "infra"
KEPT = (("codemate", "dev"), ("codemate", "prod"), ("feedback", "dev"), ("feedback", "prod"))


def written(system: str, environment: str) -> dict[str, str]:
    """Text by file name, now."""
    return files(load(ROOT / "examples" / system / "crossfade.yaml", environment))


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    for system, environment in KEPT:
        folder = FOLDER / system / environment
        folder.mkdir(parents=True)
        for name, text in written(system, environment).items():
            (folder / name).write_text(text, encoding="utf-8")
