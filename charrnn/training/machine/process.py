"""Process-wide settings for training: allocator, thread pool, torch's flags."""

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
    """Apply the settings that must precede the import of torch."""
    # When another program needs a core, a training step with spinning threads takes 3
    # times as long; with this limit, only 1.7 times (1x512 GRU, 2 cores). On an idle
    # machine, the limit reduces a step from 0.154 to 0.140 s.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # Each step allocates and frees a few hundred megabytes. Returning them to the
    # system takes a third of the step, so the process keeps them, in huge pages (1x512
    # LSTM, 2 cores: 0.200 -> 0.136 s per step).
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    with suppress(OSError, AttributeError):  # only glibc has mallopt
        ctypes.CDLL(None).mallopt(M_MMAP_MAX, 0)
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


@contextmanager
def process_settings() -> Iterator[None]:
    """Apply torch's process-wide settings, and restore them on exit."""
    import torch

    threads = torch.get_num_threads()
    # torch creates a cache folder even if it compiles nothing, so name an existing one
    has_cache = CACHE_VARIABLE in os.environ
    os.environ.setdefault(CACHE_VARIABLE, str(Path(torch.__file__).parent))
    # saturated gates produce denormal numbers, which are very slow
    torch.set_flush_denormal(True)
    try:
        with warnings.catch_warnings():
            # cuDNN warns that it copies the weights at each step: this is negligible
            warnings.filterwarnings("ignore", message="RNN module weights")
            yield
    finally:
        if not has_cache:
            os.environ.pop(CACHE_VARIABLE)
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)
