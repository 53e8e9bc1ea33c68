"""`python -m proxy worker` with short waits, and clean-ups all the time."""

import sys

from adapters.model.ticks import PER_SECOND
from proxy.cli.main import main
from proxy.worker import attempt, cleanup, ordering, worker

GRACE_SECONDS = 10

if __name__ == "__main__":
    cleanup.ENQUEUE_GRACE = GRACE_SECONDS * PER_SECOND
    worker.FIRST_CLEANUP_SECONDS, worker.CLEANUP_SECONDS = 0.5, 1.0
    ordering.TURN_SECONDS, ordering.MAX_TURN_SECONDS = 2.0, 5.0
    attempt.MAX_RETRY_SECONDS = 5.0
    sys.argv = [sys.argv[0], "worker"]
    sys.exit(main())
