"""One run while it trains: events in, metrics, model file and snapshot out."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from charrnn import checkpoint, files, tokenizers
from charrnn.config import (
    RecurrentConfig,
    SampleConfig,
    TrainConfig,
    from_json,
    to_json,
)
from charrnn.models.recurrent import RecurrentModel, parameter_count
from charrnn.runs import Run
from charrnn.store import TokenStore
from charrnn.text_model import TextModel
from charrnn.training.events import Event
from charrnn.training.network import Network
from charrnn.training.schedule import Mark
from charrnn.training.snapshot import load_snapshot, save_snapshot
from charrnn.training.trainer import Trainer

STEP_LINES = 10  # every so many steps one goes to metrics.jsonl
SAMPLE = SampleConfig(temperature=0.8, length=120)  # shown at each validation


class Session:
    """A prepared run folder, opened for training at the place where it was left."""

    def __init__(
        self, run: Run, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.run = run
        self.info = run.read_info()
        self.store = TokenStore.open(run.tokens)
        self.tokenizer = tokenizers.from_json(self.info["tokenizer"])
        training = from_json(TrainConfig, self.info["training"])
        torch.set_num_threads(training.threads)
        generator = torch.Generator().manual_seed(training.seed)
        network = Network(from_json(RecurrentConfig, self.info["model"]), generator)
        self.trainer = Trainer(network, self.store, training, clock=clock)
        if run.resume.is_file():
            load_snapshot(run.resume, self.trainer)
        elif self.info["init_from"]:
            start = checkpoint.load(Path(self.info["init_from"]))
            network.load(start.model.tensors())
        if not self.continues and self.info["follows"]:
            marks = [Mark(**mark) for mark in self.info["follows"]]
            self.trainer.schedule.marks = marks
        self._clock = clock
        self._saved_at = clock()

    @property
    def continues(self) -> bool:
        """Whether the run goes on from a snapshot."""
        return self.trainer.counters.step > 0

    @property
    def finished(self) -> bool:
        """Whether the plan of the run is completed."""
        return self.trainer.counters.finished

    def rebudget(self, training: TrainConfig) -> None:
        """Follow another budget, patience or number of threads from here on."""
        torch.set_num_threads(training.threads)
        self.trainer.rebudget(training)
        if self.continues:
            # first, so that a kill leaves no new budget with an old plan
            save_snapshot(self.run.resume, self.trainer)
        self.info["training"] = to_json(training)
        if not self.finished:
            self.info.pop("best", None)  # it says that a plan is completed
        self.run.write_info(self.info)

    def start_event(self) -> Event:
        """Return what is known before the first step: sizes, plan and reasons."""
        keys = ("corpus", "model", "training", "reasons")
        valid = self.store.valid
        values = {
            "run": str(self.run.path),
            "continues": self.continues,
            "level": self.tokenizer.level,
            "vocabulary": self.tokenizer.vocab_size,
            "parameters": parameter_count(self.trainer.network.config),
            "train_tokens": self.store.train.targets,
            "valid_tokens": valid.targets,
            "tokens_per_char": valid.targets / max(1, valid.characters),
        }
        return self._event("start", values | {key: self.info[key] for key in keys})

    def train(self, stop: Callable[[], bool]) -> Iterator[Event]:
        """Train until the plan ends or `stop()` is true; yield what happens.

        Whatever happens, the run can be continued from its last save.
        """
        trainer = self.trainer
        files.truncate(self.run.metrics, trainer.counters.metrics_bytes)
        start = self.start_event()
        yield start if self.continues else self._noted(start)
        for events in trainer.run():
            for event in events:
                is_line = event.kind != "step" or event.step % STEP_LINES == 0
                yield self._noted(event) if is_line else event
                if event.kind == "validation":
                    yield self._keep_if_best(event)
            is_due = self._clock() - self._saved_at >= trainer.config.save_every_s
            if (stopped := stop()) or is_due:
                yield self._save()
            if stopped and not self.finished:
                return
        marks = [dataclasses.asdict(mark) for mark in trainer.schedule.marks]
        self.info |= {"best": self._best(), "plan": marks}
        self.run.write_info(self.info)
        done = self._noted(self.done_event())
        self._save()
        yield done

    def done_event(self) -> Event:
        """Return what a finished run came to."""
        steps = self.trainer.counters.step
        values = {"run": str(self.run.path), "best": self._best(), "steps": steps}
        return self._event("done", values)

    def _best(self) -> dict[str, Any]:
        """Return the validation of the model that is kept."""
        summary = checkpoint.load(self.run.model).summary
        return {**summary["validation"], "step": summary["step"]}

    def _keep_if_best(self, validation: Event) -> Event:
        """Publish the model if it is the best so far; return a sample, best or not."""
        network, values = self.trainer.average, validation.values
        summary = {
            "step": validation.step,
            "epoch": self.trainer.epoch,
            "elapsed_s": validation.elapsed_s,
            "validation": values,
            "learned_end": self.store.learns_end,
            "corpus": self.info["corpus"],
        }
        model = TextModel(
            RecurrentModel(network.config, network.tensors()),
            self.tokenizer,
            summary=summary,
        )
        if values["best"]:
            checkpoint.save(self.run.model, model)
        sample = next(model.sample(seed=validation.step, config=SAMPLE))
        shown = {"text": sample.text, "temperature": SAMPLE.temperature}
        return self._noted(dataclasses.replace(validation, kind="sample", values=shown))

    def _save(self) -> Event:
        self._saved_at = self._clock()
        save_snapshot(self.run.resume, self.trainer)
        return self._event("save", {"path": str(self.run.resume)})

    def _event(self, kind: str, values: dict[str, Any]) -> Event:
        counters = self.trainer.counters
        return Event(kind, counters.step, counters.elapsed_s, values)

    def _noted(self, event: Event) -> Event:
        """Add an event to metrics.jsonl."""
        line = json.dumps(event.to_json(), ensure_ascii=False).encode() + b"\n"
        files.append(self.run.metrics, line)
        self.trainer.counters.metrics_bytes += len(line)
        return event
