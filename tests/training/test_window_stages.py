"""Windows that double from stage to stage."""

import numpy as np
import pytest
from support.training import metrics, request, same, train

from charrnn.data.store import TokenStore
from charrnn.tasks.language import LanguageTask
from charrnn.training.config import TrainConfig
from charrnn.training.loop.window_stages import WindowStages
from charrnn.training.session import Session

pytestmark = pytest.mark.usefixtures("small_corpora")


@pytest.fixture
def session() -> Session:
    return train(request(steps=12, stages=3, bptt=16))


@pytest.fixture
def stages(session: Session) -> WindowStages:
    """Return three stages of windows of 4, 8 and 16 tokens, one stream wide."""
    store = TokenStore.open(session.run.tokens)
    return WindowStages(
        LanguageTask(), store.train, TrainConfig(batch=1, bptt=16, stages=3)
    )


def test_windows_double_up_to_what_was_asked(stages: WindowStages) -> None:
    assert stages.windows == [4, 8, 16]
    assert [len(stages.batch(k, 5).inputs) for k in range(3)] == [4, 8, 16]


def test_windows_are_never_empty(session: Session) -> None:
    made = WindowStages(
        LanguageTask(), session.store.train, TrainConfig(bptt=2, stages=4)
    )

    assert made.windows == [1, 1, 1, 2]


def test_every_stage_is_an_equal_share_of_the_steps(session: Session) -> None:
    assert session.trainer.state.counters.taken == [4, 4, 4]


@pytest.mark.parametrize(
    ("progress", "stage"), [(0, 0), (0.33, 0), (0.34, 1), (0.99, 2), (1, 2)]
)
def test_stage_follows_from_progress(
    stages: WindowStages, progress: float, stage: int
) -> None:
    assert stages.at(progress) == stage


def test_epochs_are_counted_by_tokens(session: Session) -> None:
    epochs = session.trainer.epoch
    tokens = 4 * 4 * (4 + 8 + 16)  # steps, streams, windows

    # the last batches of an epoch are not full
    assert epochs == pytest.approx(tokens / session.store.train.targets, rel=0.2)


def test_steps_read_the_part_as_often_as_asked(stages: WindowStages) -> None:
    share = stages.steps(6.0) / 3

    assert stages.epochs([share] * 3) == pytest.approx(6, rel=0.02)


def test_cost_counts_the_longer_windows_to_come(stages: WindowStages) -> None:
    # at the start: a third each of 4, 8 and 16 tokens, by windows of 4
    assert stages.cost(0) == pytest.approx((4 + 8 + 16) / 3 / 4)
    # in the middle of the second: a sixth of 8 and a third of 16, by windows of 8
    assert stages.cost(0.5) == pytest.approx((8 / 6 + 16 / 3) / (1 / 2) / 8)
    assert stages.cost(1) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("until", [3, 4, 5, 9])
def test_run_in_stages_stops_and_goes_on_exactly(session: Session, until: int) -> None:
    asked = request(steps=12, stages=3, bptt=16, out="parts")
    train(asked, until=until)

    parts = train(asked)

    assert same(session, parts)
    assert metrics(session) == metrics(parts)


def test_second_plan_begins_with_short_windows_again(session: Session) -> None:
    further = train(request(steps=24, stages=3, bptt=16))

    assert further.trainer.state.counters.taken == [8, 8, 8]
    assert np.isfinite(further.trainer.state.counters.best_nats)
