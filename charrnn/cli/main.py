"""The entry point, which imports almost nothing before it handles signals."""

import os
import signal
import sys
import warnings
from types import FrameType


def main() -> None:
    """Run the command line; a signal ends it quietly, even during imports.

    The handler exits instead of raising an exception, which a library could swallow or
    replace while being imported. Exiting is safe, because files are written
    atomically, and training handles signals itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _leave)
    # NumPy's warnings about overflow show source code; inf and NaN are clear enough
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    try:
        from charrnn.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
