"""What a machine has too little of, in words: files, processes, memory, disk."""

import errno

from crossfade.core.errors import PlatformError

_DISK = "free some space, or files where `df -i` says so; what runs goes on running"
_PROCESSES = "raise the limit (ulimit -u, TasksMax, kernel.pid_max), or run less here"
_MEMORY = "raise the limit (ulimit -v, ulimit -d, MemoryMax), or run less here"
_WORDS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), ("the disk is full", _DISK)),
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE),
        ("too many files are open", "raise the limit (ulimit -Hn, LimitNOFILE, fs.file-max), or run less here"),
    ),
    errno.EFBIG: ("a file may not grow any further", "raise the limit (ulimit -f), or the file system's own"),
    errno.EAGAIN: ("no more processes can be started", _PROCESSES),
    errno.ENOMEM: ("no more memory is available", _MEMORY),
}


def shortage(error: BaseException) -> PlatformError | None:
    """What is lacking; None for an error that tells of something else."""
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError):
        number = errno.ENOMEM
    elif isinstance(error, RuntimeError) and "new thread" in str(error):  # Python's own words, and no class of its own
        number = errno.EAGAIN
    found = _WORDS.get(number or 0)
    return PlatformError(*found) if found else None
