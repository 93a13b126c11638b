"""Puts the images that the pipeline has built into crossfade.yaml, by digest, for the environment that is deployed.

CodePipeline lays each build's image.json into a folder of its own and names it in CODEBUILD_SRC_DIR_image_SERVICE.
"""

import json
import os
from pathlib import Path

import yaml

FILE = Path("crossfade.yaml")
FOLDER = "CODEBUILD_SRC_DIR_image_"


def main() -> None:
    file = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    environments = file.get("environments") or {}
    services = (environments.get(os.environ["ENVIRONMENT"]) or {}).get("services") or {}
    for name in (name for name in os.environ if name.startswith(FOLDER)):
        built = json.loads((Path(os.environ[name]) / "image.json").read_text(encoding="utf-8"))
        services[built["service"]] = {**(services.get(built["service"]) or {}), "image": built["image"]}
    environments[os.environ["ENVIRONMENT"]] = {
        **(environments.get(os.environ["ENVIRONMENT"]) or {}),
        "services": services,
    }
    FILE.write_text(yaml.safe_dump({**file, "environments": environments}, sort_keys=False), encoding="utf-8")


main()
