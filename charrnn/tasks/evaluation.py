"""Labelled data that a model is evaluated on: its predictions, scores and metrics."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from charrnn.data.formats.base import Example
from charrnn.inference.metrics.tables import TaskMetrics
from charrnn.inference.predicting import Prediction
from charrnn.inference.score import Score
from charrnn.inference.text_model import TextModel
from charrnn.tasks import TASKS
from charrnn.tasks.labelled import LabelledTask
from charrnn.text.size import text_size

NOTHING = Prediction("", math.inf)  #: the output for an input that has none


@dataclass(frozen=True)
class Evaluation:
    """Examples with the scores of their outputs, the predicted outputs, and metrics.

    unknown: labels or tags in the outputs that the model does not know.
    """

    examples: list[Example]
    scores: list[Score]
    unknown: list[str]
    predicted: list[Prediction]
    metrics: TaskMetrics

    @property
    def impossible(self) -> list[Example]:
        """The examples whose outputs the model cannot give; their nats are infinite."""
        pairs = zip(self.examples, self.scores, strict=True)
        return [one for one, score in pairs if math.isinf(score.nats)]


def task_of(model: TextModel) -> LabelledTask:
    """Return the task of a model that reads inputs."""
    task: LabelledTask = TASKS[model.summary.task]()
    return task


def evaluate(model: TextModel, examples: Sequence[Example]) -> Evaluation:
    """Score the outputs of examples, predict others, and compare them."""
    scores = score_examples(model, examples)
    inputs = [one.source for one in examples]
    predicted = [
        found[0] if found else NOTHING for found in model.predict(inputs, beam=5)
    ]
    nats = np.array([score.nats for score in scores])
    metrics = task_of(model).evaluate(model, examples, predicted, nats)
    unknown = dict.fromkeys(chain.from_iterable(_unknown(model, examples)))
    return Evaluation(list(examples), scores, [*unknown], predicted, metrics)


def score_examples(model: TextModel, examples: Sequence[Example]) -> list[Score]:
    """Return the score of each output, given its input."""
    are_possible = [not unknown for unknown in _unknown(model, examples)]
    possible = [x for x, is_one in zip(examples, are_possible, strict=True) if is_one]
    scored = iter(
        model.score_outputs(
            [one.source for one in possible], [one.target for one in possible]
        )
    )
    return [
        next(scored) if is_one else _impossible(one)
        for one, is_one in zip(examples, are_possible, strict=True)
    ]


def _unknown(model: TextModel, examples: Iterable[Example]) -> Iterator[list[str]]:
    task, tokenizer = task_of(model), model.tokenizer
    return (task.unknown(one.target, tokenizer) for one in examples)


def _impossible(example: Example) -> Score:
    """Return the score of an output that a model cannot give."""
    return Score.of(math.inf, 0, text_size(example.target), unknown=1)
