"""Certificates for HTTPS on this machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

from crossfade.core.service import Tls


def certificate(folder: Path, name: str) -> Tls:
    """A new self-signed certificate for `name`, in place of the one that was in the folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "1", "-keyout", "key.pem", "-out", "cert.pem"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return Tls(certificate=str(folder / "cert.pem"), key=str(folder / "key.pem"))
