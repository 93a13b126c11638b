"""All that a service is made of: its source folder, and what else of a repository of many it names."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WholeSource:
    """`root` is the innermost folder that has all of it. From there, `within` is the path of the source folder, and
    `parts` are those of all that belongs, none inside another; no parts: everything in the root.
    """

    root: Path
    within: str = ""
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Path, also: Iterable[str] = ()) -> "WholeSource":
        """Of a source folder and the absolute paths of what else belongs: folders, which end with /, and files.

        Where they are is not looked at: it may be gone by now, and a release has its copy of it.
        """
        others = {Path(one): one.endswith("/") for one in also}
        if not others:
            return cls(source)
        folders = [source, *(one if is_folder else one.parent for one, is_folder in others.items())]
        root = Path(os.path.commonpath(folders))
        parts = list[str]()
        for part in sorted({str(one.relative_to(root)) for one in (source, *others)}):
            if not any(part.startswith(f"{above}/") for above in parts):
                parts.append(part)
        within = str(source.relative_to(root))
        return cls(root, "" if within == "." else within, () if "." in parts else tuple(parts))

    @property
    def source(self) -> Path:
        return self.root / self.within

    def inside(self, path: str) -> str:
        """A path from the source folder as one from the root."""
        return f"{self.within}/{path}" if self.within else path

    def __str__(self) -> str:
        return " + ".join([str(self.source), *(str(self.root / part) for part in self.parts if part != self.within)])
