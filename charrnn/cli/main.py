"""The program's start, which imports nothing before it can be interrupted quietly."""

import os
import signal
import sys
import warnings
from types import FrameType


def main() -> None:
    """Run the command line; a signal ends it quietly even while it is loading.

    At once, and not by an exception: raised inside the import of a library, that
    would be lost, or come out as another error. Nothing is half done: files are
    published whole, and training has its own way to stop.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _leave)
    # NumPy's, of a network that diverged: the figures say so without a line of code
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    try:
        from charrnn.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
