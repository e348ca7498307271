"""Evaluating a model on labelled data: its scores, predictions and metrics."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from charrnn.data.example_batches import inputs_of, texts_of
from charrnn.data.formats.base import Example
from charrnn.inference.baselines import reread, store_of
from charrnn.inference.metrics.tables import TaskMetrics
from charrnn.inference.prediction.predicting import Prediction
from charrnn.inference.score import Score
from charrnn.inference.text_model import TextModel
from charrnn.storage.runs import Run
from charrnn.tasks import DEFAULT_TASK, TASKS
from charrnn.tasks.labelled import LabelledTask
from charrnn.text.size import text_size
from charrnn.tokenizers.base import Tokenizers

NOTHING = Prediction("", math.inf)  #: the output for an input that has none


@dataclass(frozen=True)
class Evaluation:
    """Examples with the scores of their outputs, the predicted outputs, and metrics.

    unknown: labels or tags in the outputs that the model does not know. repeated: the
    number of inputs that the model was also trained on, or 0 if that is not known.
    """

    examples: list[Example]
    scores: list[Score]
    unknown: list[str]
    predicted: list[Prediction]
    metrics: TaskMetrics
    repeated: int = 0

    @property
    def total(self) -> Score:
        """The sum of the finite scores."""
        return sum((one for one in self.scores if math.isfinite(one.nats)), Score())

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
    """Score the right outputs of examples, predict outputs and compute metrics."""
    scores = score_examples(model, examples)
    inputs = [one.source for one in examples]
    predicted = [
        found[0] if found else NOTHING for found in model.predict(inputs, beam=5)
    ]
    nats = np.array([score.nats for score in scores])
    training = training_inputs(model)
    metrics = task_of(model).evaluate(model, examples, predicted, nats, training)
    unknown = dict.fromkeys(chain.from_iterable(_unknown(model, examples)))
    known = set(training or ())
    repeated = sum(text in known for text in model.as_read(inputs))
    return Evaluation(list(examples), scores, [*unknown], predicted, metrics, repeated)


def training_inputs(model: TextModel) -> list[str] | None:
    """Return the training inputs of a model, as `TextModel.as_read` returns them.

    The result is None if the run of the model no longer has them.
    """
    store = store_of(model)
    assert model.source_tokenizer
    return texts_of(inputs_of(store.train), model.source_tokenizer) if store else None


def held_out_examples(run: Run) -> list[Example]:
    """Read the corpus of a run again with `reread`; return the validation examples."""
    task: LabelledTask = TASKS[run.read_info().get("task", DEFAULT_TASK)]()
    return reread(run, task.data).parts[1]


def evaluate_baseline(
    model: TextModel, examples: Sequence[Example]
) -> tuple[str, TaskMetrics] | None:
    """Return the name and the metrics of a baseline counted on the training part.

    The training part is that of the model's run. The result is None if the run no
    longer has it.
    """
    store, task = store_of(model), task_of(model)
    if not store:
        return None
    counted = task.counted(store, Tokenizers(model.tokenizer, model.source_tokenizer))
    outputs = counted.predict([one.source for one in examples])
    predicted = [Prediction(output, math.nan) for output in outputs]
    nats = np.full(len(examples), math.nan)
    training = training_inputs(model)
    return counted.title, task.evaluate(model, examples, predicted, nats, training)


def score_examples(model: TextModel, examples: Sequence[Example]) -> list[Score]:
    """Return the score of each output, given its input."""
    unknown = list(_unknown(model, examples))
    possible = [x for x, odd in zip(examples, unknown, strict=True) if not odd]
    scored = iter(
        model.score_outputs(
            [one.source for one in possible], [one.target for one in possible]
        )
    )
    return [
        # the model cannot give this output
        Score.of(math.inf, 0, text_size(one.target), unknown=1) if odd else next(scored)
        for one, odd in zip(examples, unknown, strict=True)
    ]


def _unknown(model: TextModel, examples: Iterable[Example]) -> Iterator[list[str]]:
    task, tokenizer = task_of(model), model.tokenizer
    return (task.unknown(one.target, tokenizer) for one in examples)
