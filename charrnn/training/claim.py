"""The lock on a run folder named by `out`, taken before anything slow is imported."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from charrnn.storage import files
from charrnn.storage.runs import Run
from charrnn.training.request import Request


@dataclass(frozen=True)
class Claim:
    """A request and the locked run folder that it names, or None if it names none.

    is_new: whether the folder was created for this request.
    """

    request: Request
    run: Run | None = None
    is_new: bool = False


@contextmanager
def claimed(request: Request) -> Iterator[Claim]:
    """Lock the run folder that a request names, if it names one.

    Raises BusyError at once if another process is training there. A folder created
    here is removed if nothing is ever written to it.
    """
    if not request.out:
        yield Claim(request)
        return
    run = Run(Path(request.out))
    is_new = files.claim_folder(run.path)
    files.make_folder(run.path)  # raises if a file has that name
    with run.lock():
        try:
            yield Claim(request, run, is_new)
        finally:
            if is_new and not run.info.exists():
                files.remove_folder(run.path)
