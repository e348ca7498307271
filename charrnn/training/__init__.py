"""Training, with torch: networks, schedules, and runs that can be continued."""

import ctypes
import os
from contextlib import suppress

# Before torch loads its thread pool: threads that wait for each other by spinning make
# a training step 3 times as slow when another program wants a core, and 1.7 times with
# this (1x512 GRU, 2 cores; a quiet machine: 0.154 -> 0.140 s).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# A step takes some hundred megabytes and gives them back. If they go back to the
# system, to come again page by page, that is a third of its time (1x512 LSTM, 2 cores:
# 0.200 -> 0.136 s). So the process keeps them, in large pages.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h
with suppress(OSError, AttributeError):  # there is no mallopt but glibc's
    ctypes.CDLL(None).mallopt(M_MMAP_MAX, 0)
    ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
