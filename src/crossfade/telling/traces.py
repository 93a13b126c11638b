"""The line of what a program wrote that says why it ended: of a stack trace the error, and not what comes after it."""

import re
from collections.abc import Sequence

LOOKED_AT = 60  # lines; a server may say a few more after a trace before it ends
_AFTER = 15  # lines that may follow a trace which is to blame
_FRAME = re.compile(r"\s*(at \S|\.\.\. \d+ (more|common)|from \S+:\d+:in |#\d+ |- /|[\^~]+$)|\s+\S")
_PYTHON = re.compile(r'Traceback \(most recent call last\):$|\s*File "[^"]+", line \d+')
_GROUP = re.compile(
    r"^\s+(\+ Exception Group |[|] ?|\+[-+]*( \d+ -+)?$)"
)  # what stands before a line of several errors
_SEVERAL = re.compile(
    r"\S*ValidationError: \d+ validation errors? for "
)  # pydantic's, which says in the next lines which
_AT = re.compile(r"\s+(at \S.*(\(|:\d+)|from \S+:\d+:in |#\d+ \S)")
_NO_HEAD = re.compile(r"(Require stack|Stack trace|\[stacktrace\]|Stack):?$")
_CAUSE = re.compile(r"\s+\[cause\]: (?!undefined$|null$)(?P<error>[^\s{\[].*)")
_ERRORS = re.compile(r"\s+\[errors\]: \[$")
_CARET = re.compile(r"\s*\^+$")
_REJECTED = re.compile(r"\[?(UnhandledPromiseRejection: ).*(The promise rejected with the reason .*?)\]?( \{)?$")
_UNREADABLE = re.compile(r"(Syntax|Indentation|Tab)Error\b")
_PLACE = re.compile(r'\s*(?:File "|file://)?(?P<path>[^"\s:]+)(?:", line |:)(?P<line>\d+)$')
_NO_ADDRESS = re.compile(r"java\.net\.\w+: [\w ]+$")
_PANIC = re.compile(r"(panic: |fatal error: |FATAL ERROR: |PHP Fatal error: |thread '[^']*' panicked at )")
_SPRING = "APPLICATION FAILED TO START"
_NO_JVM = "Error: Could not create the Java Virtual Machine."
_JAVAC = re.compile(r"\S+\.java:\d+: error: ")
_NPM = re.compile(r"npm (error|ERR!|notice|warn|WARN)( |$)")
# What npm, yarn and pnpm say of a program that they ran, which said itself why it ended.
_ASIDE = re.compile(
    r"npm (error|ERR!)(\s*$|\s+\S+\.log$| \S+@\S* \S+: `)"
    r"|npm (error|ERR!) (code|syscall|path|errno|command|signal|workspace|location|dest) "
    r"|npm (error|ERR!) (Lifecycle script|A complete log|Exit status|Failed at|This is probably) "
    r"|npm (notice|warn|WARN)( |$)"
    r"|error Command failed with |info Visit https://yarnpkg| ?ELIFECYCLE "
)


def telling(said: Sequence[str]) -> str:
    """Of lines that are not empty: the error of a stack trace near the end, else the last line; empty without any."""
    lines = [line for line in said if line.strip()]
    own = [line for line in lines if not _ASIDE.match(line)] or lines
    return error_in(said) or (own[-1].strip().removeprefix("Caused by: ") if own else "")


def error_in(said: Sequence[str]) -> str:
    """The error of a stack trace near the end; empty where there is none."""
    lines = _plain([line.rstrip() for line in said[-LOOKED_AT:] if line.strip()])
    found = [mark for look in _LOOKS if (mark := look(lines))]
    end, error = max(found, default=(0, ""))
    return error.strip() if error and len(lines) - end <= _AFTER else ""


def _plain(lines: Sequence[str]) -> Sequence[str]:
    """Without the frame that Python draws around errors which happened together."""
    if not any("Exception Group Traceback" in line for line in lines):
        return lines
    return [bare for line in lines if (bare := _GROUP.sub("", line, count=1).rstrip())]


def _of_python(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands behind the frames of the last traceback."""
    begin = next((i for i in range(len(lines) - 1, -1, -1) if _PYTHON.match(lines[i])), None)
    if begin is None:
        return None
    for i in range(begin + 1, len(lines)):
        if not lines[i].startswith((" ", "\t")):
            more = _which(lines[i + 1 : i + 3]) if _SEVERAL.match(lines[i]) else ""
            return i + 1, f"{lines[i]}{more}{_place(lines[i], lines[begin:i])}"
    return None


def _which(lines: Sequence[str]) -> str:
    """What is wrong with the first value; not what it was, for it may be a secret."""
    return "".join(f"{' ' if i else ': '}{line.strip().partition(' [type=')[0]}" for i, line in enumerate(lines))


def _place(error: str, before: Sequence[str]) -> str:
    """Where a source cannot be read, which the error does not say: the last two parts of the path, and the line."""
    if not _UNREADABLE.match(error):
        return ""
    found = next((place for line in reversed(before) if (place := _PLACE.match(line))), None)
    return f" ({'/'.join(found['path'].split('/')[-2:])}:{found['line']})" if found else ""


def _of_frames(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands before the frames of the last trace of Node, Java, .NET, Ruby or PHP: of causes the innermost."""
    last = next((i for i in range(len(lines) - 1, -1, -1) if _AT.match(lines[i])), None)
    if last is None:
        return None
    for i in range(last, -1, -1):
        if not _FRAME.match(lines[i]) and not _NO_HEAD.match(lines[i]):
            end = last + 1
            while end < len(lines) and lines[end].startswith((" ", "\t", "}", "]")):
                end += 1  # what Node shows of an error beside its message, which may be long
            return end, _cause(lines[i:end]) or _brief(lines, i)
    return None


def _brief(lines: Sequence[str], at: int) -> str:
    """An error without what is said of every one of its kind, and with what it does not say itself."""
    error = lines[at].removeprefix("Caused by: ")
    if rejected := _REJECTED.match(error):
        return f"{rejected[1]}{rejected[2]}"
    if lines[at].startswith("Caused by: ") and _NO_ADDRESS.match(error):  # which was refused, says who asked for it
        around = next((lines[i] for i in range(at - 1, -1, -1) if not _FRAME.match(lines[i])), "")
        return f"{around.removeprefix('Caused by: ')} ({error})" if around else error
    return f"{error}{_place(error, lines[max(0, at - 6) : at])}"


def _cause(lines: Sequence[str]) -> str:
    """What Node shows in the braces behind an error: the innermost cause, the first of several."""
    for i in range(len(lines) - 1, 0, -1):
        if _ERRORS.match(lines[i - 1]):
            return lines[i].removesuffix(" {")
        if cause := _CAUSE.match(lines[i]):
            return cause["error"].removesuffix(" {")
    return ""


def _of_node(lines: Sequence[str]) -> tuple[int, str] | None:
    """What was thrown that is no error and has no frames: it stands behind the place where it was."""
    end = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].startswith("Node.js v")), None)
    if end is None:
        return None
    at = next((i for i in range(end - 2, -1, -1) if _CARET.match(lines[i])), None)
    if at is None or any(_AT.match(line) for line in lines[at:end]):
        return None
    return end + 1, _brief(lines, at + 1)


def _of_npm(lines: Sequence[str]) -> tuple[int, str] | None:
    """What npm did not get done itself: the first of the lines that it ends with which says more than a code."""
    begin = len(lines)
    while begin and _NPM.match(lines[begin - 1]):
        begin -= 1
    said = next((line for line in lines[begin:] if not _ASIDE.match(line)), None)
    return (len(lines), said) if said else None


def _of_java(lines: Sequence[str]) -> tuple[int, str] | None:
    """What Java says before it says that it does not start; of a source the first line that it cannot read."""
    if (at := next((i for i, line in enumerate(lines) if line == _NO_JVM), 0)) > 0:
        return len(lines), lines[at - 1]
    wrong = [i for i, line in enumerate(lines) if _JAVAC.match(line)]
    return (wrong[-1] + 1, lines[wrong[0]]) if wrong else None


def _of_panic(lines: Sequence[str]) -> tuple[int, str] | None:
    """Go, V8 and PHP say it in the line; Rust in the one after it."""
    at = next((i for i in range(len(lines) - 1, -1, -1) if _PANIC.match(lines[i])), None)
    if at is None:
        return None
    more = f" {lines[at + 1].strip()}" if lines[at].startswith("thread ") and at + 1 < len(lines) else ""
    return len(lines), f"{lines[at]}{more}"  # goroutines may follow, however many


def _of_spring(lines: Sequence[str]) -> tuple[int, str] | None:
    """What stands under `Description:`."""
    if not any(_SPRING in line for line in lines):
        return None
    at = next((i for i in range(len(lines) - 2, -1, -1) if lines[i].strip() == "Description:"), None)
    return None if at is None else (len(lines), lines[at + 1])


_LOOKS = (_of_python, _of_frames, _of_node, _of_npm, _of_java, _of_panic, _of_spring)
