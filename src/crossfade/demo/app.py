"""The app of the demo, in its good and bad versions."""

import json
import runpy
from dataclasses import dataclass
from pathlib import Path

import crossfade
from crossfade.core.errors import WrongInputError
from crossfade.stage.stage import Stage

APP = "feedback"


@dataclass(slots=True, kw_only=True)
class DemoStage(Stage):
    """A stage with the app's source tree."""

    @property
    def home(self) -> Path:
        return self.folder / APP

    def write(self, version: str, *, timeout: str = "60s") -> None:
        """Make the source tree that of `version`, as a developer's next commit would."""
        materialise = runpy.run_path(str(examples() / APP / "materialise.py"))["materialise"]
        self.home.mkdir(exist_ok=True)
        materialise(version, self.home)
        with (self.home / "crossfade.yaml").open("a", encoding="utf-8") as file:
            file.write(  # the file ends with its environments
                "  demo:\n"
                f"    listen: {{http: {self.port}, host: 127.0.0.1}}\n"
                "    services:\n"
                "      web:\n"
                f"        env: {{DATABASE_PATH: {json.dumps(str(self.folder / 'feedback.db'))}}}\n"
                f"        deploy: {{bake: 3s, keep_previous: 5m, timeout: {timeout}}}\n"
            )


def examples() -> Path:
    """The examples of the repository when this is a checkout, else those that came with the package."""
    package = Path(crossfade.__file__).parent
    places = (package.parents[1] / "examples", package / "_examples")
    found = next((place for place in places if (place / APP / "crossfade.yaml").exists()), None)
    if found is None:
        raise WrongInputError("this installation has no examples", "install crossfade from its wheel or repository")
    return found
