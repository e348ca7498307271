"""A run that is saved after every step, and what it should come to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from charrnn.inference import checkpoint
from charrnn.storage.runs import Run
from charrnn.training.prepare import open_session
from charrnn.training.session import Session
from support.training import (
    metrics,
    request,
    same,
    shorten_samples,
    train,
    write_corpora,
)

# saved after every step
ASKED = request(steps=6, save_every_s=1e-9)
RUN = Run(Path("run"))


def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """Return a run that nothing happened to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        write_corpora()
        shorten_samples(patch)
        yield train(replace(ASKED, out=str(Path("whole").absolute())))


def goes_on_to(whole: Session, run: Path) -> None:
    """Continue a run and see that it ends as if nothing had happened."""
    with open_session(replace(ASKED, out=str(run))) as session:
        if not session.finished:
            for _ in session.train(lambda: False):
                pass

    assert same(session, whole)
    assert metrics(session) == metrics(whole)
    ours, theirs = (checkpoint.load(s.run.model).model for s in (session, whole))
    for name, tensor in theirs.tensors().items():
        np.testing.assert_array_equal(ours.tensors()[name], tensor)
    left = [path.name for path in run.rglob("*") if path.name.endswith(".tmp")]
    assert not left
