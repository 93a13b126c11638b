"""OpenSSH's server on an instance, with a key that is its own, for whom its user data lets in."""

import shutil
import subprocess
from pathlib import Path

_CONFIG = Path("/etc/ssh/instance_config")
_KEY = Path("/etc/ssh/ssh_host_ed25519_key")
PROGRAM = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")


def prepared() -> tuple[str, ...]:
    """The command, with all that it needs in its place. A new machine has a new key."""
    assert PROGRAM is not None
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for path in (_KEY, _KEY.with_suffix(".pub")):
        path.unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(_KEY)], check=True)
    _CONFIG.write_text(f"Include /etc/ssh/sshd_config.d/*.conf\nHostKey {_KEY}\nUsePAM yes\n")
    return (PROGRAM, "-D", "-e", "-f", str(_CONFIG))
