"""What is to be tried again, alone: `python -m tests.failed` prints what failed last, one a line.

Of a file whose tests share what the file made it is the whole file: one of them alone finds nothing of what those
before it did. Exit code 1 when nothing is on record, so that nobody takes that for all tests; and when so many failed
that it was no matter of how busy the machine is.
"""

import json
import sys
from pathlib import Path

from tests.conftest import stays_together

RECORD = Path(__file__).parents[1] / ".pytest_cache" / "v" / "cache" / "lastfailed"
MANY = 12


def again(failed: list[str]) -> list[str]:
    """Tests or whole files, each once, in the order in which they are named."""
    files = [(test, test.partition("::")[0]) for test in failed]
    return list(dict.fromkeys(file if stays_together(file) else test for test, file in files))


if __name__ == "__main__":
    if not RECORD.is_file():
        sys.exit("no test is on record as failed")
    tried = again(list(json.loads(RECORD.read_text())))
    if len(tried) > MANY:
        sys.exit(f"no second look at {len(tried)} tests or files that failed: more than {MANY}")
    sys.stdout.write("\n".join(tried))
