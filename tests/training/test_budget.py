"""Budgets of steps, epochs and time: a run ends where it was told to."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from support.networks import new_network, trainer_of

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import TokenStore
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.text.sources import Source
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit
from charrnn.training.config import TrainConfig
from charrnn.training.events import Event
from charrnn.training.loop import step_timer as pace
from charrnn.training.loop.schedule import FINAL_RATE
from charrnn.training.loop.trainer import Trainer

#: seconds of a step of a machine, by how long it has run of 60 seconds
SPEEDS: dict[str, Callable[[float], float]] = {
    "steady": lambda at_s: 0.2,
    "slowing": lambda at_s: 0.2 * (1 + at_s / 60),
    "speeding": lambda at_s: 0.2 / (1 + at_s / 60),
    "slow-by-half-time": lambda at_s: 0.2 if at_s < 30 else 0.4,
    "slow-at-the-end": lambda at_s: 0.2 if at_s < 50 else 0.4,
    "fast-at-the-end": lambda at_s: 0.4 if at_s < 50 else 0.2,
}


class Machine:
    """A clock that moves as the network computes: a machine of any speed."""

    def __init__(self, step_s: Callable[[float], float], validation_s: float) -> None:
        self.now_s = 1000.0
        self._step_s = step_s
        self._validation_s = validation_s

    def __call__(self) -> float:
        return self.now_s

    def drive(self, trainer: Trainer) -> None:
        for network in (trainer.state.network, trainer.state.average):
            network.register_forward_hook(self._compute)

    def _compute(self, *_: Any) -> None:
        is_validation = torch.is_inference_mode_enabled()
        now_s = self.now_s - 1000
        self.now_s += self._validation_s if is_validation else self._step_s(now_s)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> TokenStore:
    """Return a small token store of 11 distinct characters."""
    text = "the cat sat on the mat; " * 20
    corpus = Corpus([Source("text", text.encode())], CorpusConfig())
    tokenizer = fit(corpus.training_texts(), TokenizerConfig(min_count=1))
    return corpus.write_store(tokenizer, tmp_path_factory.mktemp("store") / "tokens")


def new_trainer(
    store: TokenStore, clock: Callable[[], float], **budget: Any
) -> Trainer:
    config = RecurrentConfig(vocab_size=store.vocab_size, hidden=3, embed=2)
    network = new_network(config)
    plan = TrainConfig(batch=2, bptt=3, dropout=0, precision="fp32", **budget)
    return trainer_of(network, store, plan, clock)


def timed_trainer(
    store: TokenStore,
    *,
    step_s: Callable[[float], float] = SPEEDS["steady"],
    validation_s: float = 0.45,
    **budget: Any,
) -> Trainer:
    """Return a trainer on a machine of this speed."""
    machine = Machine(step_s, validation_s)
    trainer = new_trainer(store, machine, **budget)
    machine.drive(trainer)
    return trainer


def train(trainer: Trainer, *, until: int = 0) -> list[Event]:
    """Train to the end, or until so many steps are done."""
    found = []
    for event in trainer.run():
        found.append(event)
        if trainer.state.counters.step == until:
            break
    return found


def of_kind(kind: str, events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind == kind]


def progress_of(events: list[Event]) -> list[float]:
    return [event.values["progress"] for event in of_kind("step", events)]


def budget(**values: Any) -> TrainConfig:
    return TrainConfig(batch=2, bptt=3, dropout=0, precision="fp32", **values)


# --- a time


@pytest.fixture(scope="module", params=SPEEDS)
def minute(request: pytest.FixtureRequest, store: TokenStore) -> list[Event]:
    """Return what happens in a run of 60 seconds on a machine of each kind."""
    return train(timed_trainer(store, step_s=SPEEDS[request.param], time_s=60))


def test_time_is_kept_on_a_machine_whose_speed_changes(minute: list[Event]) -> None:
    assert minute[-1].elapsed_s == pytest.approx(60, rel=0.03)


def test_schedule_of_a_time_is_completed_whatever_the_speed(
    minute: list[Event],
) -> None:
    progress = progress_of(minute)

    assert all(before <= after for before, after in pairwise(progress))
    assert progress[-1] == 1


def test_rate_at_the_end_of_a_time_is_near_the_final_one(minute: list[Event]) -> None:
    last = of_kind("step", minute)[-1]

    assert last.values["rate"] < 3 * FINAL_RATE * TrainConfig().lr


def test_all_validations_of_a_time_happen_and_the_last_is_at_the_end(
    minute: list[Event],
) -> None:
    # 48 tokens are guessed to take as long as 0.6 times 8 steps of 6: a twentieth of
    # 60 seconds is 3 validations of 0.96 seconds; 1 or 2 if the first steps were slow
    assert len(of_kind("validation", minute)) in (2, 3)
    assert minute[-1].kind == "validation"


def test_time_is_not_exceeded_though_a_validation_takes_longer_than_guessed(
    store: TokenStore,
) -> None:
    trainer = timed_trainer(store, validation_s=15, time_s=60)

    events = train(trainer)

    assert len(of_kind("validation", events)) == 2
    assert 45 < events[-1].elapsed_s < 61.8


def test_plans_of_a_long_time_stay_few(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MAX_PLANS", 20)
    running = timed_trainer(store, step_s=lambda at_s: 30, time_s=30 * 200)

    train(running)

    assert running.state.counters.step > 150
    assert len(running.state.schedule.marks) <= 21


def test_time_goes_on_after_a_stop_where_it_was(store: TokenStore) -> None:
    first = timed_trainer(store, time_s=30)
    events = train(first, until=150)
    second = timed_trainer(store, step_s=lambda at_s: 0.2, time_s=30)
    second.state.counters = first.state.counters
    second.state.schedule = first.state.schedule

    events += train(second)

    assert events[-1].elapsed_s == pytest.approx(30, rel=0.03)
    assert progress_of(events)[-1] == 1


# --- steps and epochs


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 11, 37])
def test_run_of_steps_takes_so_many(steps: int, store: TokenStore) -> None:
    events = train(timed_trainer(store, steps=steps))

    assert [event.step for event in of_kind("step", events)] == [*range(1, steps + 1)]
    assert len(of_kind("validation", events)) == min(steps, 10)


@pytest.mark.parametrize("epochs", [0.5, 1, 2])
def test_run_of_epochs_reads_the_training_part_so_often(
    epochs: float, store: TokenStore
) -> None:
    trainer = timed_trainer(store, epochs=epochs)

    tokens = sum(e.values["tokens"] for e in of_kind("step", train(trainer)))

    # half an epoch ends between two steps of 6 tokens
    assert tokens == pytest.approx(epochs * store.train.targets, abs=6)


# --- another budget


def test_finished_run_trains_on_to_more_steps_under_a_new_schedule(
    store: TokenStore,
) -> None:
    trainer = timed_trainer(store, steps=20)
    train(trainer)

    trainer.rebudget(budget(steps=50))

    events = train(trainer)
    assert trainer.state.counters.step == 50
    assert progress_of(events) == pytest.approx([k / 30 for k in range(1, 31)])


def test_finished_run_trains_on_to_more_time(store: TokenStore) -> None:
    trainer = timed_trainer(store, time_s=20)
    train(trainer)

    trainer.rebudget(budget(time_s=50))

    events = train(trainer)
    assert events[-1].elapsed_s == pytest.approx(50, rel=0.03)
    assert progress_of(events)[0] < 0.2


def test_unfinished_run_goes_on_from_its_progress_to_more_steps(
    store: TokenStore,
) -> None:
    trainer = timed_trainer(store, steps=20)
    train(trainer, until=10)

    trainer.rebudget(budget(steps=60))

    # half is done; the other half takes 50 steps
    assert progress_of(train(trainer)) == pytest.approx(
        [0.5 + k / 100 for k in range(1, 51)]
    )


@pytest.mark.parametrize("done", [0, 2, 20])
def test_run_of_a_time_can_become_one_of_steps(done: int, store: TokenStore) -> None:
    trainer = timed_trainer(store, time_s=30)
    if done:
        train(trainer, until=done)

    trainer.rebudget(budget(steps=40))

    train(trainer)
    assert trainer.state.counters.step == 40


@pytest.mark.parametrize("done", [0, 2, 20])
def test_run_of_steps_can_become_one_of_a_time(done: int, store: TokenStore) -> None:
    trainer = timed_trainer(store, steps=40)
    if done:
        train(trainer, until=done)

    trainer.rebudget(budget(time_s=20))

    assert train(trainer)[-1].elapsed_s == pytest.approx(20, rel=0.03)


def test_other_patience_leaves_the_plan_alone(store: TokenStore) -> None:
    trainer = timed_trainer(store, steps=20)
    train(trainer, until=10)

    trainer.rebudget(budget(steps=20, patience=5))

    assert len(trainer.state.schedule.marks) == 1
    assert trainer.config.patience == 5


def test_time_budget_ends_at_the_epochs_that_are_enough(store: TokenStore) -> None:
    trainer = timed_trainer(store, time_s=600.0, max_epochs=2.0)

    for _ in trainer.run():
        pass

    assert trainer.epoch == pytest.approx(2.0, abs=0.05)
    assert trainer.state.schedule.progress(trainer.state.counters.step) == 1
