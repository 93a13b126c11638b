"""This crossfade as a wheel: what runs here is what a host gets, from wherever it was installed."""

import base64
import hashlib
import zipfile
from importlib import metadata
from pathlib import Path

import crossfade
from crossfade.core.errors import PlatformError

WHEEL = "Wheel-Version: 1.0\nGenerator: crossfade\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make(into: Path) -> Path:
    """The wheel, a new file in the folder `into`. PlatformError for a crossfade that was not installed by a package."""
    name = f"crossfade-{crossfade.__version__}"
    try:
        installed = metadata.distribution("crossfade")
    except metadata.PackageNotFoundError as error:
        raise PlatformError("this crossfade was not installed as a package", "install it: pip install .") from error
    about = f"{name}.dist-info"
    package = Path(crossfade.__file__).parent
    files = {
        f"crossfade/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    for part in ("METADATA", "entry_points.txt"):
        files[f"{about}/{part}"] = (installed.read_text(part) or "").encode()
    files[f"{about}/WHEEL"] = WHEEL.encode()
    lines = [f"{path},sha256={_hash(content)},{len(content)}" for path, content in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,\n"]).encode()
    wheel = into / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in files.items():
            packed.writestr(path, content)
    return wheel


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
