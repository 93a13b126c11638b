"""The HCL modules, as files of this package."""

from pathlib import Path

FOLDER = Path(__file__).parent
# As a call names them: networking/vpc, budgets.
MODULES: tuple[str, ...] = tuple(sorted(str(file.parent.relative_to(FOLDER)) for file in FOLDER.rglob("versions.tf")))


def texts(module: str) -> dict[str, str]:
    """Text by file name, verbatim."""
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((FOLDER / module).iterdir())}
