"""The training loop, which uses truncated backpropagation through time.

The batches, the learning rate and the dropout masks are functions of the plan and the
step. Everything that cannot be derived from these is in the `TrainState`. Therefore an
interrupted and resumed run ends with exactly the same weights as an uninterrupted run.

The trainer yields events and prints nothing. Shape letters: B batch, T time, H hidden.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import torch

from charrnn.data.batches import Batch
from charrnn.errors import DivergedError, StoppedError
from charrnn.models.network import Network
from charrnn.training.config import BUDGETS, TrainConfig
from charrnn.training.events import Event, StepEvent, ValidationEvent, WarningEvent
from charrnn.training.loop.dropout import dropout_masks
from charrnn.training.loop.evaluate import Stop, Validation
from charrnn.training.loop.gradients import Gradients
from charrnn.training.loop.optimizer import update_average
from charrnn.training.loop.schedule import learning_rate
from charrnn.training.loop.state import TrainState, state_before
from charrnn.training.loop.step_timer import StepTimer
from charrnn.training.loop.window_stages import WindowStages
from charrnn.training.machine.training_memory import reporting_memory

E = TypeVar("E", bound=Event)

SMOOTHING = 0.98  # decay factor for the training loss that is shown


class Validate(Protocol):
    """Validates a network; may raise StoppedError if `stop()` becomes true."""

    @property
    def tokens(self) -> int:
        """The number of tokens that a validation reads or predicts."""

    def __call__(self, network: Network, stop: Stop) -> Validation:
        """Return the result of a validation."""


class Trainer:
    """Takes training steps, and validates at the planned steps."""

    def __init__(
        self,
        state: TrainState,
        stages: WindowStages,
        validate: Validate,
        config: TrainConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self.stages = stages
        self.config = config
        self.gradients = Gradients(state.network, state.scaler, config)
        self._validation_of = validate
        self._clock = clock
        self._started = clock()
        self._timer = StepTimer()
        if not state.counters.taken:
            state.counters.taken = [0] * len(stages)
        if not (config.time_s or state.schedule.marks):
            state.schedule.plan(0, self.steps_of(config))

    @property
    def epoch(self) -> float:
        """How many times the training part has been read."""
        return self.stages.epochs(self.state.counters.taken)

    def steps_of(self, config: TrainConfig) -> int:
        """Return the number of steps of a budget in steps or epochs."""
        return config.steps or self.stages.steps(config.epochs)

    def run(self, stop: Stop = lambda: False) -> Iterator[Event]:
        """Train to the end of the plan; yield the events.

        At each event, the state is consistent, so a caller can save or stop there. If
        `stop()` becomes true during a validation, the method returns; the validation is
        then repeated after resuming. Raises DivergedError if a loss is not finite.
        """
        state, counters = self.state, self.state.counters
        self._started = self._clock() - counters.elapsed_s
        while not counters.finished:
            if counters.owes_validation:
                try:
                    validation = self._validate(stop)
                except StoppedError:
                    return
                yield validation
                continue
            self._replan()
            began, pieces = self._clock(), self.gradients.micro_batches
            loss, tokens = self._train_step(counters.step)
            self._timer.note(self._clock() - began)
            step = counters.step
            counters.step += 1
            self._note_loss(loss)
            done = state.schedule.progress(counters.step) >= 1
            counters.owes_validation = done or state.schedule.validates_after(step)
            if self.gradients.micro_batches > pieces:
                yield self._event(
                    WarningEvent,
                    message="out of memory: each batch is now split into"
                    f" {self.gradients.micro_batches} micro-batches",
                )
            yield self._step_event(loss, tokens)

    def rebudget(self, config: TrainConfig) -> None:
        """Use a different budget from here on.

        An unfinished run is replanned. A finished run continues from its weights under
        a second plan, with its own warmup and decay.
        """
        old, self.config = self.config, config
        if all(getattr(old, name) == getattr(config, name) for name in BUDGETS):
            return
        schedule, counters = self.state.schedule, self.state.counters
        step = counters.step
        if not config.time_s:
            total = self.steps_of(config)
        elif step:
            left_s = config.time_s - counters.elapsed_s
            total = step + max(1, round(left_s * step / max(counters.elapsed_s, 1e-9)))
        else:
            schedule.marks.clear()  # as in a new run, steps are timed first
            return
        if schedule.progress(step) >= 1 or counters.finished:
            schedule.extend(step, total)
            counters.finished, counters.stale = False, 0
        else:
            schedule.plan(step, total)

    def _validate(self, stop: Stop) -> ValidationEvent:
        """Validate; record whether this validation is the best so far or the last.

        Raises StoppedError if `stop()` becomes true before the end.
        """
        counters = self.state.counters
        began = self._clock()
        found = self._validation_of(self.state.average, stop)
        counters.validation_s = self._clock() - began
        loss_nats = found.metrics.loss_nats
        weights = self.state.average.parameters()
        is_finite = all(torch.isfinite(array).all() for array in weights)
        if not (is_finite and math.isfinite(loss_nats)):
            raise self._diverged(f"the validation loss is {loss_nats:g}")
        counters.owes_validation = False
        counters.finished = self.state.schedule.progress(counters.step) >= 1
        criterion = found.metrics.criterion
        is_best = criterion < counters.best_nats
        counters.stale = 0 if is_best else counters.stale + 1
        if is_best:
            counters.best_nats = criterion
        if self.config.patience and counters.stale >= self.config.patience:
            counters.finished = True
        return self._event(
            ValidationEvent,
            metrics=found.metrics.to_json(),
            best=is_best,
            mixture=found.mixture,
        )

    def _train_step(self, step: int) -> tuple[float, int]:
        """Take an optimizer step; return the loss per token and the token count."""
        state = self.state
        batch = self._next_batch(step)
        rate = self._learning_rate(step)
        for group in state.optimizer.param_groups:
            group["lr"] = rate
        loss, carried = self.gradients.add(
            batch,
            state_before(state, batch),
            dropout_masks(state, self.config, step, len(batch.carried)),
        )
        state.scaler.unscale_(state.optimizer)
        weights = state.network.weights().values()
        norm = float(torch.nn.utils.clip_grad_norm_(weights, self.config.clip))
        # a finite loss can have an infinite gradient; the scaler skips such a step
        can_skip = state.scaler.is_enabled() and state.scaler.get_scale() > 1
        if not (math.isfinite(loss) and (math.isfinite(norm) or can_skip)):
            raise self._diverged(f"the loss is {loss:g}, its gradient {norm:g}")
        with reporting_memory("the moments of the optimizer"):
            state.scaler.step(state.optimizer)
        state.scaler.update()
        update_average(state.average, state.network, step)
        state.carried = carried or None
        return loss, batch.tokens

    def _next_batch(self, step: int) -> Batch:
        """Return the batch of a step; count it as taken."""
        counters = self.state.counters
        stage = self.stages.at(self.state.schedule.progress(step))
        if stage != counters.stage:
            self.state.carried = None  # each stage has its own streams
            windows = self.stages.windows
            self._timer.scale(windows[stage] / windows[counters.stage])
        counters.stage = stage
        counters.taken[stage] += 1
        return self.stages.batch(stage, counters.taken[stage] - 1)

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(
            f"{what} at step {self.state.counters.step:,}",
            hint=f"try a lower learning rate: `lr` {self.config.lr / 2:g}",
        )

    def _learning_rate(self, step: int) -> float:
        config, schedule = self.config, self.state.schedule
        return learning_rate(
            schedule.progress(step),
            peak=config.lr * schedule.rate(step),
            warmup=config.warmup,
            shape=config.schedule,
        )

    def _replan(self) -> None:
        """Adjust the number of steps to the time that is left in a time budget."""
        schedule, counters, config = (
            self.state.schedule,
            self.state.counters,
            self.config,
        )
        if not config.time_s:
            return
        if not self._timer.replan_due(self._clock(), config.time_s):
            return
        step = counters.step
        validations = schedule.validations or self._affordable_validations()
        ahead = math.ceil((1 - schedule.progress(step)) * validations)
        # all validations count towards the budget, including the last one
        left_s = config.time_s - (self._clock() - self._started)
        left_s -= ahead * counters.validation_s
        cost = self.stages.cost(schedule.progress(step))
        total = step + self._timer.steps_in(left_s, cost)
        if config.max_epochs:
            most = self.stages.steps(config.max_epochs)
            total = min(total, max(most, step + 1))
        schedule.plan(step, total, validations)

    def _affordable_validations(self) -> int:
        """Return how many validations fit into about a twentieth of a time budget."""
        counters, tokens = self.state.counters, self._validation_of.tokens
        window = self.config.batch * self.stages.windows[counters.stage]
        # a guess until the first validation: only a forward pass, but in float32
        counters.validation_s = 0.6 * self._timer.time_of(tokens / window)
        affordable = 0.05 * self.config.time_s / max(counters.validation_s, 1e-9)
        return int(min(20, max(2, affordable)))

    def _note_loss(self, loss: float) -> None:
        counters = self.state.counters
        old, first = counters.loss_nats, math.isnan(counters.loss_nats)
        counters.loss_nats = loss if first else SMOOTHING * old + (1 - SMOOTHING) * loss

    def _step_event(self, loss: float, tokens: int) -> StepEvent:
        step, schedule = self.state.counters.step, self.state.schedule
        return self._event(
            StepEvent,
            loss_nats=loss,
            smoothed_nats=self.state.counters.loss_nats,
            rate=self._learning_rate(step - 1),
            progress=schedule.progress(step),
            planned_steps=schedule.total,
            cost_ahead=self.stages.cost(schedule.progress(step)),
            epoch=self.epoch,
            tokens=tokens,
        )

    def _event(self, kind: type[E], **values: Any) -> E:
        counters = self.state.counters
        counters.elapsed_s = self._clock() - self._started
        return kind(step=counters.step, elapsed_s=counters.elapsed_s, **values)
