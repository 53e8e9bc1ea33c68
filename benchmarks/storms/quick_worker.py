"""`python -m proxy worker` with a worker's long waits made short: it sweeps all the time."""

import sys

from adapters.model.ticks import PER_SECOND
from proxy.cli.main import main
from proxy.worker import cleanup as sweep
from proxy.worker import ordering as order
from proxy.worker import worker

YOUNG_SECONDS = 10

if __name__ == "__main__":
    sweep.ENQUEUE_GRACE = YOUNG_SECONDS * PER_SECOND
    worker.FIRST_SWEEP_SECONDS, worker.SWEEP_SECONDS = 0.5, 1.0
    order.TURN_SECONDS, order.LONGEST_TURN_SECONDS = 2.0, 5.0
    sys.argv = [sys.argv[0], "worker"]
    sys.exit(main())
