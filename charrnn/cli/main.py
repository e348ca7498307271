"""The entry point; it imports almost nothing before signals are handled."""

import os
import signal
import sys
import warnings
from types import FrameType


def main() -> None:
    """Run the command line; a signal ends it quietly, even while it is loading.

    The handler exits instead of raising: a library being imported could swallow the
    exception or replace it. Exiting is safe, because files are published whole, and
    training handles signals itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup
            signal.signal(number, _leave)
    # NumPy warns about a diverged network, with a line of code; its inf and NaN suffice
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    try:
        from charrnn.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(128 + number)
