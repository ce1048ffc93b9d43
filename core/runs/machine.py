"""What this machine bears: how many cores and how much memory are ours, and so how many worker processes."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # where a container's limits stand; elsewhere there is no such folder
SERVER_BYTES = 1_000_000_000  # for the server, the process that draws maps, and the system
WORKER_BYTES = 750_000_000  # what a training process takes after a run of four layers
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # as glibc's malloc.h numbers them
LARGE_BYTES = 128 * 1024  # a block from here on is a piece of its own, which goes back when it is freed


def cores() -> int:
    """Processor cores this process may use, at least 1."""
    try:
        ours = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not say
        ours = os.cpu_count() or 1
    quota, _, period = _limit("cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        ours = min(ours, round(int(quota) / int(period)))
    return max(1, ours)


def memory() -> int:
    """Bytes of memory this process may use; as much as is enough where the system does not say."""
    try:
        ours = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        ours = 64 * WORKER_BYTES
    limit = _limit("memory.max")
    return min(ours, int(limit)) if limit.isdigit() else ours


def asked_workers() -> int | None:
    """EMBEDDING_LAB_WORKERS, where it is a number."""
    asked = os.environ.get("EMBEDDING_LAB_WORKERS", "")
    return max(1, int(asked)) if asked.isdigit() else None


def most_workers() -> int:
    """Processes that may train at once: EMBEDDING_LAB_WORKERS, else as many as cores and memory bear."""
    return asked_workers() or max(1, min(cores(), (memory() - SERVER_BYTES) // WORKER_BYTES))


def trainer_bytes() -> int:
    """Memory that the trainers of one process may take while they wait for their turn."""
    return (memory() - SERVER_BYTES - most_workers() * WORKER_BYTES) // (2 * most_workers())


def _limit(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:
        return ""


def keep_little_memory() -> None:
    """Have the allocator give back at once what this process frees.

    By itself glibc keeps an arena for every few threads, and a web server has one for each page that is
    drawn: what one has freed the others cannot use, and after two hours 200 MiB lay there.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc only
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)  # said once, it no longer grows with what is freed


def return_memory() -> None:
    """Give the system back what this process has freed: the allocator keeps it, some 100 MiB after a run."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)
