"""A Compose file carried over, and the file that came of it loaded."""

import json
from collections.abc import Mapping
from pathlib import Path

from crossfade.file.init.compose.carry import from_compose
from crossfade.file.load import load
from crossfade.file.model import App, Service


class Composed:
    """What `init --from` makes of Compose files. `files` are names and texts, the first is the one that is named."""

    def __init__(
        self, folder: Path, text: str, files: Mapping[str, str] | None = None, shell: Mapping[str, str] | None = None
    ) -> None:
        for name, content in {"compose.yaml": text, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        overlays = sorted(name for name in files or {} if name.startswith("over"))
        paths = [folder / "compose.yaml", *(folder / name for name in overlays)]
        self.draft = from_compose(paths, folder, shell or {})
        self.text, self.left = self.draft.text, self.draft.left
        (folder / "crossfade.yaml").write_text(self.text)
        for made in self.draft.folders:
            made.mkdir(parents=True, exist_ok=True)
        self.app: App = load(folder / "crossfade.yaml")

    def service(self, name: str = "web") -> Service:
        return self.app.services[name]

    def why(self, what: str) -> str:
        return next(left.why for left in self.left if left.what == what)

    def places(self) -> list[str]:
        return [left.where.rsplit(": ", 1)[1] for left in self.left]

    def todo(self, where: str) -> str:
        """What is to do at this place, in one text."""
        return "; ".join(todo.what for todo in self.draft.todos if where in todo.where.split(", "))

    def kinds(self) -> dict[str, str]:
        return {name: str(role.kind) for name, role in self.draft.roles.items()}

    def evidence(self, name: str) -> str:
        return self.draft.roles[name].because


def one(folder: Path, *lines: str, files: Mapping[str, str] | None = None) -> Composed:
    """A file with one service that answers on port 80, and these lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return Composed(folder, f"name: shop\nservices:\n  web:\n    image: x:1\n    ports: ['80:80']\n{body}", files)


def services(**them: object) -> str:
    """A Compose file of these services."""
    return json.dumps({"services": them})
