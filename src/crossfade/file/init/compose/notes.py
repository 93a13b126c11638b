"""Notes of an import: what is not in the new file, what is left to do, and comments beside its lines."""

from dataclasses import dataclass, field
from pathlib import Path

from crossfade.file.init.todo import Rank, Todo
from crossfade.file.reading.document import Keys, Written


@dataclass(frozen=True)
class NotCarried:
    """Something of the Compose file that is not in ours: where it stands, what it is, and why not."""

    where: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.why}"


@dataclass
class Notes:
    """Collected while a project is carried over. `left` is in the Compose file's words, `todos` in ours."""

    root: Written
    left: list[NotCarried] = field(default_factory=list)
    todos: list[Todo] = field(default_factory=list)
    comments: dict[tuple[str, str], str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)  # of the project, which are not there yet and have to be

    def leave(self, keys: Keys, what: str, why: str) -> None:
        """Say that something of the Compose file is not in ours."""
        self.left.append(NotCarried(str(self.root.at(keys).place), what, why))


@dataclass(frozen=True)
class ServiceNotes:
    """The same for one service: keys are below it. `name` is its name in our file, below `section`."""

    notes: Notes
    compose_name: str
    name: str
    section: str = "services"

    def leave(self, below: Keys, what: str, why: str) -> None:
        self.notes.leave(("services", self.compose_name, *below), what, why)

    def todo(self, rank: Rank, key: str, what: str) -> None:
        """Say what is left to do about one of the service's keys in our file; no key: about all of it."""
        where = f"{self.section}.{self.name}.{key}" if key else f"{self.section}.{self.name}"
        self.notes.todos.append(Todo(rank, where, what))

    def folder(self, path: Path) -> None:
        """Say that this folder has to be there, and is not."""
        self.notes.folders.append(path)

    def comment(self, key: str, text: str) -> None:
        """Write a comment behind one of the service's keys in our file."""
        self.notes.comments[self.name, key] = text
