"""Training, with torch: networks, schedules, and runs that can be continued."""

import os

# Before torch loads its thread pool: threads that wait for each other by spinning make
# a training step 3 times as slow when another program wants a core, and 1.7 times with
# this (1x512 GRU, 2 cores; a quiet machine: 0.154 -> 0.140 s).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
