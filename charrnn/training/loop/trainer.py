"""The training loop: next-token cross-entropy, truncated backpropagation through time.

A run is a plan and a step number. The batches, the learning rate and the dropout
masks are functions of (plan, step). What cannot be derived is saved (`snapshot.py`):
parameters and their average, optimizer moments, carried state, and a few counters. So
a run that is stopped and continued ends with the same weights, bit for bit, as one
that is not.

The trainer yields events and prints nothing. Shape letters: B batch, T time, H hidden.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from charrnn.data.batches import Batch
from charrnn.data.store import TokenStore
from charrnn.errors import DivergedError
from charrnn.models.layers import LayerState
from charrnn.models.network import Network
from charrnn.training.config import BUDGETS, TrainConfig
from charrnn.training.events import Counters, Event, score_values
from charrnn.training.loop.averaging import follow
from charrnn.training.loop.evaluate import StoppedError, evaluate
from charrnn.training.loop.gradients import Gradients
from charrnn.training.loop.optimizer import new_optimizer
from charrnn.training.loop.schedule import Schedule, learning_rate
from charrnn.training.loop.step_timer import Pace
from charrnn.training.loop.window_stages import Stages
from charrnn.training.machine.precision import loss_scaler
from charrnn.training.machine.room import making_room
from charrnn.training.ngram_partner import Partner

SMOOTHING = 0.98  # of the training loss that is shown


class Trainer:
    """Trains a network on a token store, one step at a time."""

    def __init__(
        self,
        network: Network,
        store: TokenStore,
        config: TrainConfig,
        *,
        partner: Partner | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.network = network.to(config.device)
        self.average = copy.deepcopy(network)
        self.config = config
        self.schedule = Schedule()
        self.counters = Counters()
        self.optimizer = new_optimizer(network, config)
        self.scaler = loss_scaler(config.precision, config.device)
        self.gradients = Gradients(network, self.scaler, config)
        self.state: LayerState | None = None
        self.stages = Stages(partner.train if partner else store.train, config)
        self.counters.taken = [0] * len(self.stages)
        self._store = store
        self._partner = partner
        self._clock = clock
        self._started = clock()
        self._pace = Pace()
        if not config.time_s:
            self.schedule.plan(0, self.steps_of(config))

    @property
    def epoch(self) -> float:
        """How often the training part has been read."""
        return self.stages.epochs(self.counters.taken)

    def steps_of(self, config: TrainConfig) -> int:
        """Return the steps of a budget in steps or epochs."""
        return config.steps or self.stages.steps(config.epochs)

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Train to the end of the plan; yield what happens.

        At each event everything is consistent: a caller may save, or stop. When
        `stop()` is true a validation is left for later, and the run ends there.
        Raises DivergedError when the loss is not finite.
        """
        self._started = self._clock() - self.counters.elapsed_s
        while not self.counters.finished:
            if self.counters.owes_validation:
                try:
                    validation = self._validate(stop)
                except StoppedError:
                    return
                yield validation
                continue
            self._replan()
            began, parts = self._clock(), self.gradients.parts
            loss, tokens = self._train_step(self.counters.step)
            self._pace.note(self._clock() - began)
            step = self.counters.step
            self.counters.step += 1
            self._note_loss(loss)
            done = self.schedule.progress(self.counters.step) >= 1
            self.counters.owes_validation = done or self.schedule.validates_after(step)
            if self.gradients.parts > parts:
                yield self._event("warning", {"message": self._parts_message()})
            yield self._event("step", self._step_values(loss, tokens))

    def rebudget(self, config: TrainConfig) -> None:
        """Follow another budget from here on.

        An unfinished run is planned anew; a finished one begins a second plan, with
        its own warm-up and decay, from the weights it has.
        """
        old, self.config = self.config, config
        if all(getattr(old, name) == getattr(config, name) for name in BUDGETS):
            return
        counters, step = self.counters, self.counters.step
        if not config.time_s:
            total = self.steps_of(config)
        elif step:
            left_s = config.time_s - counters.elapsed_s
            total = step + max(1, round(left_s * step / max(counters.elapsed_s, 1e-9)))
        else:
            self.schedule.marks.clear()  # as in a new run: first it measures
            return
        if self.schedule.progress(step) >= 1 or counters.finished:
            self.schedule.extend(step, total)
            counters.finished, counters.stale = False, 0
        else:
            self.schedule.plan(step, total)

    def _validate(self, stop: Callable[[], bool]) -> Event:
        """Score the validation part; note whether it is the best so far, or the last.

        Raises StoppedError when `stop()` is true before the end.
        """
        began, device = self._clock(), self.config.device
        if self._partner:
            score, mixed = self._partner.validate(self.average, device, stop)
        else:
            score, mixed = evaluate(self.average, self._store.valid, device, stop), {}
        self.counters.validation_s = self._clock() - began
        weights = self.average.parameters()
        is_finite = all(torch.isfinite(array).all() for array in weights)
        if not (is_finite and math.isfinite(score.nats_per_token)):
            raise self._diverged(f"the validation is {score.nats_per_token:g}")
        counters = self.counters
        counters.owes_validation = False
        counters.finished = self.schedule.progress(counters.step) >= 1
        is_best = score.nats_per_token < counters.best_nats
        counters.stale = 0 if is_best else counters.stale + 1
        if is_best:
            counters.best_nats = score.nats_per_token
        if self.config.patience and counters.stale >= self.config.patience:
            counters.finished = True
        values = score_values(score) | {"best": is_best} | mixed
        return self._event("validation", values)

    def _train_step(self, step: int) -> tuple[float, int]:
        """Take one optimizer step; return the loss in nats a token, and the tokens."""
        batch = self._next_batch(step)
        rate = self._learning_rate(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        value, state = self.gradients.add(
            batch,
            lambda: self._state_before(batch),
            self._masks(step, len(batch.carried)),
        )
        self.scaler.unscale_(self.optimizer)
        norm = float(
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        )
        # a finite loss may have a gradient that is not: a scaler leaves the step out
        can_skip = self.scaler.is_enabled() and self.scaler.get_scale() > 1
        if not (math.isfinite(value) and (math.isfinite(norm) or can_skip)):
            raise self._diverged(f"the loss is {value:g}, its gradient {norm:g}")
        with making_room("what the optimizer remembers"):
            self.scaler.step(self.optimizer)
        self.scaler.update()
        follow(self.average, self.network, step)
        self.state = state
        return value, batch.tokens

    def _next_batch(self, step: int) -> Batch:
        """Return the batch of a step, and count it."""
        counters, stage = self.counters, self.stages.at(self.schedule.progress(step))
        if stage != counters.stage:
            self.state = None  # its streams are others
            windows = self.stages.windows
            self._pace.change(windows[stage] / windows[counters.stage])
        counters.stage = stage
        counters.taken[stage] += 1
        return self.stages.batch(stage, counters.taken[stage] - 1)

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(
            f"{what} at step {self.counters.step:,}",
            hint=f"try a lower rate: --lr {self.config.lr / 2:g}",
        )

    def _parts_message(self) -> str:
        parts = self.gradients.parts
        return f"the memory is full: each batch is read in {parts} parts from now on"

    def _state_before(self, batch: Batch) -> LayerState:
        """Return the carried state, with rows that start anew at the initial one."""
        initial = self.network.initial_state(len(batch.carried))
        if self.state is None or not batch.carried.any():
            return initial
        carried = torch.from_numpy(batch.carried)[:, None].to(self.config.device)
        pairs = zip(self.state, initial, strict=True)
        return tuple(torch.where(carried, old, new) for old, new in pairs)

    def _masks(self, step: int, rows: int) -> list[Tensor] | None:
        """Return a dropout mask (B, H) for the output of each layer.

        It is the same at every time step of the window (Gal & Ghahramani 2016). It is
        drawn from (seed, step), so that nothing of it is saved.
        """
        rise = self.config.dropout_rise * self.schedule.progress(step)
        p = self.config.dropout + rise
        if not p:
            return None
        device = self.config.device
        # mixed, for torch's CPU generator looks at the low 32 bits of a seed only
        mixed = np.random.SeedSequence([self.config.seed, step]).generate_state(1)
        generator = torch.Generator(device).manual_seed(int(mixed[0]))
        masks = [torch.empty(rows, n, device=device) for n in self.network.masked]
        kept = 1 - p
        return [mask.bernoulli_(kept, generator=generator) / kept for mask in masks]

    def _learning_rate(self, step: int) -> float:
        config = self.config
        return learning_rate(
            self.schedule.progress(step),
            peak=config.lr * self.schedule.rate(step),
            warmup=config.warmup,
            shape=config.schedule,
        )

    def _replan(self) -> None:
        """Fit the number of steps to what is left of a time budget."""
        step, config = self.counters.step, self.config
        if not config.time_s:
            return
        if not self._pace.asks_for_plan(self._clock(), config.time_s):
            return
        validations = self.schedule.validations or self._affordable_validations()
        ahead = math.ceil((1 - self.schedule.progress(step)) * validations)
        # validations belong to the budget, the last one too
        left_s = config.time_s - (self._clock() - self._started)
        left_s -= ahead * self.counters.validation_s
        cost = self.stages.cost(self.schedule.progress(step))
        total = step + self._pace.steps_in(left_s, cost)
        if config.max_epochs:
            most = self.stages.steps(config.max_epochs)
            total = min(total, max(most, step + 1))
        self.schedule.plan(step, total, validations)

    def _affordable_validations(self) -> int:
        """Return how many validations take about a twentieth of a time budget."""
        counters, targets = self.counters, self._store.valid.targets
        window = self.config.batch * self.stages.windows[counters.stage]
        # a guess until there was one: forward only, but in float32
        counters.validation_s = 0.6 * self._pace.time_of(targets / window)
        affordable = 0.05 * self.config.time_s / max(counters.validation_s, 1e-9)
        return int(min(20, max(2, affordable)))

    def _note_loss(self, loss: float) -> None:
        old = self.counters.loss_nats
        first = math.isnan(old)
        new = loss if first else SMOOTHING * old + (1 - SMOOTHING) * loss
        self.counters.loss_nats = new

    def _step_values(self, loss: float, tokens: int) -> dict[str, Any]:
        step = self.counters.step
        return {
            "loss_nats": loss,
            "smoothed_nats": self.counters.loss_nats,
            "rate": self._learning_rate(step - 1),
            "progress": self.schedule.progress(step),
            "planned_steps": self.schedule.total,
            "cost_ahead": self.stages.cost(self.schedule.progress(step)),
            "epoch": self.epoch,
            "tokens": tokens,
        }

    def _event(self, kind: str, values: dict[str, Any]) -> Event:
        self.counters.elapsed_s = self._clock() - self._started
        return Event(kind, self.counters.step, self.counters.elapsed_s, values)
