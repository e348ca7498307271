"""A run whose model learns by gradient, step by step, and can be continued."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import torch

from charrnn.data.store import TokenStore
from charrnn.errors import CharRNNError, DivergedError
from charrnn.fields import from_json, to_json
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.families import FAMILIES
from charrnn.storage.runs import Run
from charrnn.training import defaults
from charrnn.training.config import BUDGETS, TrainConfig
from charrnn.training.events import Counters, Event
from charrnn.training.loop.evaluate import StoppedError
from charrnn.training.loop.schedule import Mark
from charrnn.training.loop.snapshot import restore, save_snapshot
from charrnn.training.loop.trainer import Trainer
from charrnn.training.machine.precision import choose_device
from charrnn.training.machine.process import process_settings
from charrnn.training.machine.room import check_memory, making_room
from charrnn.training.ngram_partner import Partner, best_ngram
from charrnn.training.request import ADJUSTABLE, Request
from charrnn.training.session import Choice, Session, starting_model

STEP_LINES = 10  # every so many steps one goes to metrics.jsonl
LEAST_RATE = 1 / 8  # share of the planned one: it is halved three times at most


class GradientSession(Session):
    """A run of a network."""

    has_steps = True
    process_settings = staticmethod(process_settings)

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(run, clock=clock)
        training = from_json(TrainConfig, self.info["training"])
        self.partner = None
        if training.with_ngram:
            self.partner = Partner(self.store, training.ngram_order)
        self.trainer = self._trainer(training)
        self._model: TextModel | None = None  # the best one, while it isn't saved
        self._saved_at = clock()

    @staticmethod
    def check(request: Request) -> None:
        """Raise UsageError for a budget or device that makes no sense."""
        choose_device(request.given.get("device", "auto"))

    @staticmethod
    def choose(store: TokenStore, request: Request) -> Choice:
        """Complete sizes, rates and budget. Raises UsageError, ResourceError."""
        kind = FAMILIES[request.family].network_type
        return defaults.choose(
            kind,
            store,
            request.sizes,
            request.given_of(TrainConfig),
            force=request.force,
        )

    @property
    def counters(self) -> Counters:
        """How far the run is."""
        return self.trainer.counters

    def follow(self, request: Request) -> None:
        """Take the budget that is asked for now, if any. Raises ResourceError."""
        if self.continues and not request.force:
            shapes = self.trainer.network.parameter_shapes(self.config)
            check_memory(shapes, self.trainer.config)
        given = request.given_of(TrainConfig)
        asked = {name: given[name] for name in ADJUSTABLE if name in given}
        if any(name in given for name in BUDGETS):
            asked |= {name: given.get(name, 0) for name in BUDGETS}
        old = self.trainer.config
        if self.finished and asked.get("time_s", 0) > old.time_s:
            asked["max_epochs"] = 0.0  # more is asked for than was thought to be enough
        config = dataclasses.replace(old, **asked)
        if config != old and not (self.finished and self._is_spent(config)):
            self.rebudget(config)

    def rebudget(self, training: TrainConfig) -> None:
        """Follow another budget, patience or number of threads from here on."""
        torch.set_num_threads(training.threads)
        self.trainer.rebudget(training)
        if self.continues:
            # first, so that a kill leaves no new budget with an old plan
            save_snapshot(self.run, self.trainer)
        self.info["training"] = to_json(training)
        if not self.finished:
            self.info.pop("best", None)  # it says that a plan is completed
        self.run.write_info(self.info)

    def start_event(self) -> Event:
        """Return what is known before the first step: sizes, plan and reasons."""
        start = super().start_event()
        size = {"parameters": self.trainer.network.parameter_count(self.config)}
        return dataclasses.replace(start, values=start.values | size)

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the plan ends or `stop()` is true; yield what happens."""
        yield self._started()
        yield from self._new_warnings()
        if self.partner:
            with suppress(StoppedError):
                self.partner.count(stop)
        while not (self.finished or stop()):
            try:
                yield from self._steps(stop)
            except DivergedError as error:
                yield self._go_back(error)
        if not self.finished:
            self._save()
            yield self._event("save", {"path": str(self.run.resume)})
            return
        self._save_model()
        marks = [dataclasses.asdict(mark) for mark in self.trainer.schedule.marks]
        self.info |= {"best": self._best(), "plan": marks}
        if not self.partner and "ngram" not in self.info:
            with suppress(StoppedError):
                self.info["ngram"] = best_ngram(self.store, stop)
        self.run.write_info(self.info)
        done = self._noted(self.done_event())
        self._save()
        yield done

    def done_event(self) -> Event:
        """Return what a finished run came to, and what counting does."""
        done = super().done_event()
        counted = {"ngram": self.info["ngram"]} if "ngram" in self.info else {}
        return dataclasses.replace(done, values=done.values | counted)

    def _trainer(self, training: TrainConfig) -> Trainer:
        """Return a trainer at the last save, or at the beginning."""
        torch.set_num_threads(training.threads)
        generator = torch.Generator().manual_seed(training.seed)
        kind = FAMILIES[self.info["family"]].network_type
        with making_room("the network"):
            network = kind(self.config, generator)
            trainer = Trainer(
                network, self.store, training, partner=self.partner, clock=self._clock
            )
            if said := restore(self.run, trainer):
                self._warnings.append(said)
        counters = trainer.counters
        is_new = not self.run.resume.is_file()
        if is_new and self.info["init_from"]:
            start = starting_model(Path(self.info["init_from"]))
            network.load(start.model.tensors())
        if is_new and self.info["follows"]:
            marks = [Mark(**mark) for mark in self.info["follows"]]
            trainer.schedule.marks = marks
        if not (is_new or counters.finished or self._has_model()):
            counters.best_nats = math.inf  # so that the next one is kept
        return trainer

    def _started(self) -> Event:
        """Cut the metrics where the trainer stands; return how the run starts."""
        is_known = self.counters.metrics_bytes > 0
        self._cut_metrics()
        start = self.start_event()
        return start if is_known else self._noted(start)

    def _steps(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the end, or until `stop()` is true, and save now and then."""
        for event in self.trainer.run(stop):
            is_line = event.kind != "step" or event.step % STEP_LINES == 0
            yield self._noted(event) if is_line else event
            if event.kind == "validation":
                yield self._keep_if_best(event)
            if self.finished or stop():
                return  # a save now would be a finished run without what follows
            every_s = self.trainer.config.save_every_s
            is_due = self._clock() - self._saved_at >= every_s
            if is_due and self._survives(self._save):
                yield self._event("save", {"path": str(self.run.resume)})
            yield from self._new_warnings()

    def _go_back(self, error: DivergedError) -> Event:
        """Go on from the last save with half the rate; raise the error at last.

        The mark of the schedule that says so is kept with the plan, so that a run
        that is stopped after it, or follows the plan, takes the same steps.
        """
        rate = self.trainer.schedule.rate(self.counters.step) / 2
        if rate < LEAST_RATE:
            raise error
        elapsed_s = self.counters.elapsed_s
        self._lines, self._model = b"", None
        self.trainer = self._trainer(self.trainer.config)
        self._started()
        self.trainer.schedule.slow(self.counters.step, rate)
        self.counters.elapsed_s = elapsed_s
        message = f"{error.message}; back to step {self.counters.step:,} with"
        values = {"message": f"{message} {rate:g} times the planned rate"}
        warning = self._noted(self._event("warning", values))
        self._survives(self._save)
        return warning

    def _is_spent(self, config: TrainConfig) -> bool:
        """Say whether a finished run has had all of a budget already."""
        trainer, old = self.trainer, self.trainer.config
        if config.time_s:
            return config.time_s <= max(old.time_s, trainer.counters.elapsed_s)
        # a run that lost its patience had fewer steps than its budget
        planned = 0 if old.time_s else trainer.steps_of(old)
        return trainer.steps_of(config) <= max(planned, trainer.counters.step)

    def _keep_if_best(self, validation: Event) -> Event:
        """Publish the model if it is the best so far; return a sample, best or not."""
        voice = self.trainer.average.model()
        if self.partner:
            voice = self.partner.mixture(voice, validation.values)
        model = self._text_model(voice, validation)
        model.summary["epoch"] = self.trainer.epoch
        if validation.values["best"]:
            self._model = model
            self._survives(self._save_model)
        return self._noted(self._sample_event(model))

    def _has_model(self) -> bool:
        """Say whether the best model is there and intact."""
        with suppress(CharRNNError):
            checkpoint.load(self.run.model)
            return True
        return False

    def _save(self) -> None:
        """Save all that is not on the disk; the snapshot last, as it counts on that."""
        self._saved_at = self._clock()
        self._save_model()
        self._save_lines()
        save_snapshot(self.run, self.trainer)
        self._is_failing = False

    def _save_model(self) -> None:
        if self._model:
            checkpoint.save(self.run.model, self._model)
            self._model = None
