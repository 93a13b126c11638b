"""Which files belong to a source folder, and which commit they are: as git says, or as whoever shipped it did."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from crossfade.core.errors import PlatformError
from crossfade.source import git

# In a folder that came from another machine. A release never has `.crossfade`, so that none brings its own.
MARK = ".crossfade/shipped.json"


@dataclass(frozen=True, slots=True)
class Listing:
    """`files` as `git.files` gives them, None where git says nothing. `shipped`: another machine's git said so."""

    source: Path
    files: list[str] | None
    shipped: bool = False
    shipped_commit: git.Commit | None = None

    def commit(self) -> git.Commit | None:
        """The commit as it is now; None without one."""
        if self.shipped:
            return self.shipped_commit
        return git.commit(self.source) if self.files else None


def listing(source: Path) -> Listing:
    """PlatformError for a shipped folder whose mark cannot be read."""
    try:
        told = json.loads((source / MARK).read_bytes())
        commit = git.Commit(**told["commit"]) if told["commit"] else None
        return Listing(source, told["files"], shipped=True, shipped_commit=commit)
    except (FileNotFoundError, NotADirectoryError):
        return Listing(source, git.files(source))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlatformError(f"{source / MARK} is damaged", "remove it, and deploy again") from error


def mark(found: Listing) -> bytes:
    """What makes another machine see the same in a copy of the folder."""
    commit = found.commit()
    return json.dumps({"files": found.files, "commit": asdict(commit) if commit else None}).encode()
