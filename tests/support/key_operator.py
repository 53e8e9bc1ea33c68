"""An operator's process: `python -m tests.support.key_operator NAME COUNT` adds and revokes keys one by one.

It runs the commands of the program one after another, without starting Python for each. It begins when a line comes on
standard input, so that several begin together.
"""

import io
import sys
from hashlib import sha256

from proxy.cli.main import main


def work(name: str, count: int) -> int:
    """Adds `count` keys and revokes each one three adds later, so that both kinds of change alternate.

    Returns:
        How many commands failed.
    """
    failed = 0
    for number in range(count + 3):
        if number < count:
            sys.stdin = io.StringIO(f"{name}-{number}\n")
            failed += main(["keys", "add", "--account", "contoso", "--name", f"{name} {number}"]) != 0
        if number >= 3:
            digest = sha256(f"{name}-{number - 3}".encode()).hexdigest()
            failed += main(["keys", "revoke", digest]) != 0
    return failed


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.exit(min(work(sys.argv[1], int(sys.argv[2])), 100))
