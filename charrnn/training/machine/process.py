"""What training sets for its whole process: allocator, thread pool, torch's flags."""

import ctypes
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

CACHE_VARIABLE: Final = "TORCHINDUCTOR_CACHE_DIR"
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def prepare_process() -> None:
    """Set what must be set before torch is imported."""
    # Threads that spin while they wait make a training step 3 times as slow when
    # another program wants a core; with this limit it is 1.7 times as slow (1x512 GRU,
    # 2 cores; a quiet machine: 0.154 -> 0.140 s).
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # A step allocates and frees some hundred megabytes. Returning them to the system
    # and faulting them in again takes a third of its time (1x512 LSTM, 2 cores: 0.200
    # -> 0.136 s), so the process keeps them, in large pages.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    with suppress(OSError, AttributeError):  # only glibc has mallopt
        ctypes.CDLL(None).mallopt(M_MMAP_MAX, 0)
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def process_settings() -> Iterator[None]:
    """Set what torch has for the whole process; give the threads back afterwards."""
    import torch

    threads = torch.get_num_threads()
    # nothing is compiled, but torch would make a cache folder: name an existing one
    has_cache = CACHE_VARIABLE in os.environ
    os.environ.setdefault(CACHE_VARIABLE, str(Path(torch.__file__).parent))
    # gates that saturate make denormal numbers, which are very slow
    torch.set_flush_denormal(True)
    try:
        with warnings.catch_warnings():
            # cuDNN copies a layer's weights at each step, which takes microseconds
            warnings.filterwarnings("ignore", message="RNN module weights")
            yield
    finally:
        if not has_cache:
            os.environ.pop(CACHE_VARIABLE)
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
