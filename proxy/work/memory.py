"""Memory that a worker gives back when a job is over, for it lives long and its jobs are large.

Allocators keep what was freed, each thread its own: after a dozen large jobs the worker had three times as much as its
largest job needs. So all threads share one heap, and what is larger than some kilobytes goes back when it is freed.
"""

import ctypes

import pyarrow as pa

# Numbers and names of glibc's mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

LARGE = 64 * 1024


def give_memory_back() -> None:
    """Sets the allocators of this process; to be called before there are threads.

    Where the C library has no such settings, as on macOS and Alpine, only the last is made.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in ((_M_ARENA_MAX, 1), (_M_TRIM_THRESHOLD, LARGE), (_M_MMAP_THRESHOLD, LARGE)):
            libc.mallopt(parameter, value)
    pa.set_memory_pool(pa.system_memory_pool())
