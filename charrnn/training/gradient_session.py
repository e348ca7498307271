"""A run of a network, which is trained by gradient descent and can be resumed."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import torch

from charrnn.errors import CharRNNError, DivergedError, StoppedError
from charrnn.fields import from_json, to_json
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.families import FAMILIES
from charrnn.models.network import ConditionalNetwork, Network
from charrnn.storage.runs import Run
from charrnn.training.bayes_partner import BayesPartner
from charrnn.training.config import ADJUSTABLE, BUDGETS, TrainConfig
from charrnn.training.events import (
    Counters,
    DoneEvent,
    Event,
    SampleEvent,
    SaveEvent,
    StartEvent,
    ValidationEvent,
    WarningEvent,
)
from charrnn.training.loop.evaluate import Validator
from charrnn.training.loop.schedule import Mark
from charrnn.training.loop.snapshot import restore, save_snapshot
from charrnn.training.loop.state import TrainState
from charrnn.training.loop.trainer import Trainer
from charrnn.training.loop.window_stages import WindowStages
from charrnn.training.machine.memory import memory_limit
from charrnn.training.machine.process import process_settings
from charrnn.training.machine.training_memory import check_memory, reporting_memory
from charrnn.training.ngram_partner import NgramPartner
from charrnn.training.session import Session, starting_model

STEP_LINES: Final = 10  #: every tenth step is written to metrics.jsonl
MIN_RATE: Final = 1 / 8  #: of the planned rate, which is halved at most three times


class GradientSession(Session):
    """A run of a network, alone or combined with a counting model."""

    has_steps = True
    process_settings = staticmethod(process_settings)

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(run, clock=clock)
        training = from_json(TrainConfig, self.record.training)
        self.validator = Validator(
            self.task, self.store.valid, training.device, self.tokenizer
        )
        self.partner = self._new_partner(training) if training.with_ngram else None
        self.trainer = self._new_trainer(training)
        self._model: TextModel | None = None  # the best model, until it is saved
        self._saved_at = clock()
        self._is_forced = False

    @property
    def counters(self) -> Counters:
        """The progress of the run."""
        return self.trainer.state.counters

    def adjust(self, training: Mapping[str, Any], *, force: bool = False) -> None:
        """Use a different budget, patience or thread count from here on."""
        self._is_forced = force
        old = self.trainer.config
        if self.continues and not force:
            recipe = FAMILIES[self.record.family].recipe_type
            longest = recipe.steps(self.config, self.store.train.longest_example)
            check_memory(recipe.parameter_shapes(self.config), old, longest)
        given = {name: training[name] for name in ADJUSTABLE if name in training}
        if any(name in training for name in BUDGETS):
            given |= {name: training.get(name, 0) for name in BUDGETS}
        if self.finished and given.get("time_s", 0) > old.time_s:
            given["max_epochs"] = 0.0  # the user wants more than the plan's cap
        config = dataclasses.replace(old, **given)
        if config != old and not (self.finished and self._is_spent(config)):
            self._rebudget(config)

    def start_event(self) -> StartEvent:
        """Return the sizes, the plan and its reasons, known before the first step."""
        weights = self.trainer.state.network.parameters()
        size = {"parameters": sum(weight.numel() for weight in weights)}
        return dataclasses.replace(super().start_event(), details=size)

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the plan ends or `stop()` is true; yield the events."""
        is_limited = self.trainer.config.device == "cpu" and not self._is_forced
        # without a limit, the system would kill a process that runs out of memory
        with memory_limit() if is_limited else nullcontext():
            yield from self._train(stop)

    def _train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        yield self._started()
        yield from self._new_warnings()
        if self.partner:
            with suppress(StoppedError):
                self.partner.count(stop)
        while not (self.finished or stop()):
            try:
                yield from self._steps(stop)
            except DivergedError as error:
                yield self._roll_back(error)
        if not self.finished:
            self._save()
            yield self._event(SaveEvent, path=str(self.run.resume))
            return
        self._save_model()
        self._calibrate()
        marks = [dataclasses.asdict(mark) for mark in self.trainer.state.schedule.marks]
        ngram = self.record.ngram
        if not self.partner and ngram == {}:
            with suppress(StoppedError):
                ngram = self.task.baseline(self.store, self.tokenizers, stop)
        self._rewrite(best=self._best(), plan=marks, ngram=ngram)
        done = self._noted(self.done_event())
        self._save()
        yield done

    def done_event(self) -> DoneEvent:
        """Return the result of a finished run, and of a counting model if counted."""
        counted = {} if self.record.ngram == {} else {"ngram": self.record.ngram}
        return dataclasses.replace(super().done_event(), details=counted)

    def _rebudget(self, training: TrainConfig) -> None:
        torch.set_num_threads(training.threads)
        self.trainer.rebudget(training)
        if self.continues:
            # saved first, so that a kill never leaves a new budget with an old plan
            save_snapshot(self.run, self.trainer.state)
        best = self.record.best if self.finished else None  # None: unfinished
        self._rewrite(training=to_json(training), best=best)

    def _new_partner(self, training: TrainConfig) -> NgramPartner | BayesPartner:
        """Return the counting model to combine with the network."""
        if self.source_tokenizer:
            return BayesPartner(self.validator, self.store, self.tokenizers)
        return NgramPartner(self.validator, self.store, training.ngram_order)

    def _new_trainer(self, training: TrainConfig) -> Trainer:
        """Return a trainer that starts at the last save, or at the first step."""
        torch.set_num_threads(training.threads)
        is_new = not self.run.resume.is_file()
        with reporting_memory("the network"):
            network = FAMILIES[self.record.family].network_type(self.config)
            network.initialize(torch.Generator().manual_seed(training.seed))
            if is_new:
                self._begin(network)
            state = TrainState.new(network, training)
            if warning := restore(self.run, state):
                self._warnings.append(warning)
        if is_new:
            state.schedule.marks = [Mark(**mark) for mark in self.record.follows]
        if not (is_new or state.counters.finished or self._has_model()):
            state.counters.best_nats = math.inf  # the next model is kept
        part = self.partner.train if self.partner else self.store.train
        stages = WindowStages(self.task, part, training)
        validate = self.partner or self.validator
        return Trainer(state, stages, validate, training, clock=self._clock)

    def _begin(self, network: Network) -> None:
        """Set what training begins with, from the starting model and the data."""
        if self.record.init_from:
            start = starting_model(Path(self.record.init_from))
            if start.summary.task == self.record.task:
                network.load(start.model.tensors())
                return  # the words that it knows are part of the model
            if isinstance(network, ConditionalNetwork):
                network.start_as(start.model.tensors())
        network.learn(self.store.train)

    def _started(self) -> StartEvent:
        """Truncate metrics.jsonl to match the trainer; return the start event."""
        is_known = self.counters.metrics_bytes > 0
        self._cut_metrics()
        start = self.start_event()
        return start if is_known else self._noted(start)

    def _steps(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the end or until `stop()` is true, and save at intervals."""
        for event in self.trainer.run(stop):
            is_line = event.kind != "step" or event.step % STEP_LINES == 0
            yield self._noted(event) if is_line else event
            if isinstance(event, ValidationEvent):
                yield self._keep_if_best(event)
            if self.finished or stop():
                return  # a save here would mark the run as finished without its results
            every_s = self.trainer.config.save_every_s
            is_due = self._clock() - self._saved_at >= every_s
            if is_due and self._survives(self._save):
                yield self._event(SaveEvent, path=str(self.run.resume))
            yield from self._new_warnings()

    def _roll_back(self, error: DivergedError) -> WarningEvent:
        """Resume from the last save at half the rate; re-raise below MIN_RATE.

        The lower rate is a mark of the schedule. So a run that is interrupted later, or
        another one that follows the plan, takes the same steps.
        """
        rate = self.trainer.state.schedule.rate(self.counters.step) / 2
        if rate < MIN_RATE:
            raise error
        elapsed_s = self.counters.elapsed_s
        self._lines, self._model = b"", None
        self.trainer = self._new_trainer(self.trainer.config)
        self._started()
        self.trainer.state.schedule.slow(self.counters.step, rate)
        self.counters.elapsed_s = elapsed_s
        message = f"{error.message}; back to step {self.counters.step:,} with"
        message = f"{message} {rate:g} times the planned rate"
        warning = self._noted(self._event(WarningEvent, message=message))
        self._survives(self._save)
        return warning

    def _is_spent(self, config: TrainConfig) -> bool:
        """Return whether a finished run has already used up a budget."""
        trainer, old = self.trainer, self.trainer.config
        if config.time_s:
            return config.time_s <= max(old.time_s, self.counters.elapsed_s)
        # with early stopping, a run takes fewer steps than its budget allows
        planned = 0 if old.time_s else trainer.steps_of(old)
        return trainer.steps_of(config) <= max(planned, self.counters.step)

    def _keep_if_best(self, validation: ValidationEvent) -> SampleEvent:
        """Save the model if it is the best so far; in any case, return a sample."""
        speaker = self.trainer.state.average.model()
        if self.partner:
            speaker = self.partner.mixture(speaker, validation)
        model = self._text_model(speaker, validation, epoch=self.trainer.epoch)
        if validation.best:
            self._model = model
            self._survives(self._save_model)
        return self._noted(self._sample_event(model))

    def _calibrate(self) -> None:
        """Calibrate the probabilities of the saved model on the validation part."""
        model = checkpoint.load(self.run.model)
        calibrated = self.task.calibrated(model, self.store.valid)
        if calibrated is not model:
            checkpoint.save(self.run.model, calibrated)

    def _has_model(self) -> bool:
        """Return whether the file of the best model exists and is intact."""
        with suppress(CharRNNError):
            checkpoint.load(self.run.model)
            return True
        return False

    def _save(self) -> None:
        """Save everything; the snapshot comes last, because it relies on the rest."""
        self._saved_at = self._clock()
        self._save_model()
        self._save_lines()
        save_snapshot(self.run, self.trainer.state)
        self._is_failing = False

    def _save_model(self) -> None:
        if self._model:
            checkpoint.save(self.run.model, self._model)
            self._model = None
