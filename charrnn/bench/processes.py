"""Other processes: started, read from, and never left behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final

from charrnn.errors import ResourceError

STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def running(arguments: Sequence[str], **streams: Any) -> Iterator[IO[bytes]]:
    """Run Python with arguments; give its stdout, and wait for its end.

    In a process group of its own: a Ctrl-C is for the command that measures, which
    kills what it started. Raises ResourceError if the process fails.
    """
    # held back while it starts: an exception there would leave it behind, unknown
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        with subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            process_group=0,
            bufsize=0,
            **streams,
        ) as process:
            assert process.stdout is not None
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                yield process.stdout
                process.stdout.read()
                process.wait()
            except BaseException:
                process.kill()
                raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if process.returncode:
        raise ResourceError(
            f"a process that was measured ended with {process.returncode}",
            hint="it may have been killed for its memory; stop other programs",
        )
