"""What the tasks on labelled data share: an output is predicted from an input.

P(output | input) is the product of the probabilities of the output's tokens. A sequence
counts as right if, at every position, the right token is the most likely one after the
right tokens before it. Accuracy therefore needs no search.
"""

import math
import shlex
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from charrnn.data.batches import Batch, Batches
from charrnn.data.config import CorpusConfig
from charrnn.data.example_batches import (
    ExampleBatches,
    aligned,
    inputs_of,
    targets_of,
    texts_of,
    validation_examples,
)
from charrnn.data.formats.base import Example
from charrnn.data.labelled import ExampleCorpus
from charrnn.data.store import Part, TokenStore
from charrnn.inference.counting.frequent_tags import FrequentTags
from charrnn.inference.counting.memory import Memory
from charrnn.inference.metrics.tables import TaskMetrics
from charrnn.inference.prediction.predicting import Prediction
from charrnn.inference.scoring import Nats
from charrnn.inference.text_model import TextModel
from charrnn.tasks.base import Stop, Task
from charrnn.tasks.calibration import calibrated
from charrnn.text.sources import Source
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.hangul import has_hangul

SHOWN = 3  #: predictions shown at each validation
MAX_SYMBOLS = 1000  #: with more distinct symbols, texts are read by character
SYMBOL_USES = 20  #: also if symbols occur less often on average


@dataclass(frozen=True)
class Predicted:
    """How many outputs are entirely right, and how many output tokens are right.

    more: other metrics by name. errors: the error rate by which models are compared.
    """

    nats: float
    examples: int
    right: int
    tokens: int
    right_tokens: int
    errors: float
    more: Mapping[str, float]

    @property
    def loss_nats(self) -> float:
        """The mean nats per target."""
        return self.nats / max(1, self.tokens)

    @property
    def criterion(self) -> float:
        """The number by which models are compared; lower is better.

        Errors count most, because an overconfident network can still make fewer errors.
        """
        return self.errors + 0.05 * self.loss_nats

    def to_json(self) -> dict[str, Any]:
        """Return the values to report for a validation."""
        return {
            "nats_per_token": self.loss_nats if math.isfinite(self.loss_nats) else None,
            "tokens": self.tokens,
            "examples": self.examples,
            "right": self.right / max(1, self.examples),
            "right_tokens": self.right_tokens / max(1, self.tokens),
            **self.more,
        }


class Counted(Protocol):
    """A baseline model, which only counts examples."""

    @property
    def title(self) -> str:
        """Its name."""

    def predict(self, sources: Sequence[str], /) -> list[str]:
        """Return the predicted output of each input."""


class LabelledTask(Task[ExampleCorpus]):
    """Predicts outputs from inputs; its metrics are `Predicted`."""

    unit = "example"
    reads = "source"
    counts: ClassVar[type[FrequentTags | Memory]]  #: what `counted` returns
    learns_end: ClassVar[bool] = False  #: whether the end of an output is predicted

    def data(
        self,
        sources: Sequence[Source],
        config: CorpusConfig,
        *,
        valid_sources: Sequence[Source],
        raw: bool,
    ) -> ExampleCorpus:
        """Return the examples."""
        return ExampleCorpus(
            sources, config, task=self.name, valid_sources=valid_sources
        )

    def tokenizers(
        self,
        data: ExampleCorpus,
        wanted: Mapping[str, Any],
        given: Mapping[str, Tokenizer],
    ) -> Tokenizers:
        """Return tokenizers fitted on the training examples."""
        output = given.get("output") or self.output_tokenizer(data, wanted)
        if "source" in given:
            return Tokenizers(output, given["source"])
        inputs = [one.source for one in data.parts[0]]
        level = wanted.get("level") or self.input_level(inputs)
        return Tokenizers(
            output, self.fit_source(level, inputs, self.config_of(level, wanted))
        )

    def fit_source(
        self, level: str, inputs: Sequence[str], config: TokenizerConfig
    ) -> Tokenizer:
        """Return a tokenizer fitted on the inputs."""
        kind: type[Tokenizer] = TOKENIZERS[level]
        return kind.fit(inputs, config)

    def input_level(self, texts: Iterable[str]) -> str:
        """Return the default tokenizer level for inputs."""
        return "jamo" if any(map(has_hangul, texts)) else "char"

    def config_of(self, level: str, wanted: Mapping[str, Any]) -> TokenizerConfig:
        """Return a tokenizer's config. At level "features", no symbol is unknown."""
        least = {"min_count": 1} if level == "features" else {}
        given = {k: v for k, v in wanted.items() if k not in ("level", "output_level")}
        return TokenizerConfig(**least | given)

    @abstractmethod
    def output_tokenizer(
        self, data: ExampleCorpus, wanted: Mapping[str, Any]
    ) -> Tokenizer:
        """Return the tokenizer of the outputs."""

    def parts(
        self, data: ExampleCorpus, tokenizers: Tokenizers, folder: Path
    ) -> TokenStore:
        """Encode and store the examples."""
        return data.write_store(tokenizers, folder, learns_end=self.learns_end)

    def next_command(self, run: str, part: Part, tokenizers: Tokenizers) -> str:
        """Return a command that predicts the output of a short held-out input."""
        assert tokenizers.source
        inputs = inputs_of(part)
        (text,) = texts_of(inputs, tokenizers.source, [int(inputs.lengths.argmin())])
        return f"charrnn predict -m {run} {shlex.quote(text)}"

    def sizes(self, store: TokenStore, tokenizers: Tokenizers) -> dict[str, Any]:
        """Return the vocabulary size of the inputs."""
        return {"source_size": store.source_size}

    def sizes_like(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return the sizes that let an encoder start with a language model's weights.

        model: the config of a recurrent language model, as JSON.
        """
        return {
            name: model[name] for name in ("cell", "layers", "hidden", "embed", "norm")
        }

    def baseline(
        self, store: TokenStore, tokenizers: Tokenizers, stop: Stop
    ) -> dict[str, Any] | None:
        """Return the name and the metrics of a model that counts the examples."""
        assert tokenizers.source
        counted = self.counted(store, tokenizers)
        outputs = counted.predict(texts_of(inputs_of(store.valid), tokenizers.source))
        best = aligned(map(tokenizers.output.encode, outputs), store.valid)
        nats = np.full(len(best), np.nan)  # it gives no probabilities
        found = self.measure(nats, store.valid, best, tokenizers.output)
        return {"name": counted.title} | found.to_json()

    def counted(self, store: TokenStore, tokenizers: Tokenizers) -> Counted:
        """Return a model that counts the training examples."""
        assert tokenizers.source
        inputs = texts_of(inputs_of(store.train), tokenizers.source)
        return self.counts.fit(inputs, texts_of(store.train, tokenizers.output))

    @staticmethod
    def unknown(output: str, tokenizer: Tokenizer) -> list[str]:
        """Return the labels or tags in an output that the tokenizer does not know."""
        return []

    @abstractmethod
    def evaluate(
        self,
        model: TextModel,
        examples: Sequence[Example],
        predicted: Sequence[Prediction],
        nats: Nats,
        training: Sequence[str] | None = None,
    ) -> TaskMetrics:
        """Return the metrics of predictions.

        nats: -ln p of the right outputs, (N,), infinite for impossible ones. training:
        the inputs that the model was trained on, as the model read them, if known.
        """

    def training(self, part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
        """Return batches of examples of similar length."""
        return ExampleBatches(part, batch=batch, seed=seed)

    def validation(self, part: Part) -> Iterator[list[Batch]]:
        """Yield the validation batches, each as a group of its own."""
        return validation_examples(part)

    def measure(
        self, nats: Nats, part: Part, best: Ids | None, output: Tokenizer
    ) -> Predicted:
        """Return how many outputs and output tokens are right."""
        assert best is not None
        targets, examples = targets_of(part)
        right = targets == best
        wrong = np.bincount(examples, ~right, minlength=len(part.lengths))
        whole, tokens = np.mean(wrong == 0), np.mean(right)
        return Predicted(
            nats=float(nats.sum()),
            examples=len(wrong),
            right=int(np.count_nonzero(wrong == 0)),
            tokens=len(nats),
            right_tokens=int(np.count_nonzero(right)),
            errors=1 - float(whole + tokens) / 2,
            more={},
        )

    def calibrated(self, model: TextModel, part: Part) -> TextModel:
        """Return a model with the temperature that predicts a part best."""
        return calibrated(model, part)

    def sample(self, model: TextModel, part: Part, step: int) -> str:
        """Return predictions for three inputs, with the right outputs."""
        assert model.source_tokenizer
        count = len(part.lengths)
        rng = np.random.default_rng(step)
        chosen = rng.choice(count, min(SHOWN, count), replace=False).tolist()
        inputs = texts_of(inputs_of(part), model.source_tokenizer, chosen)
        outputs = texts_of(part, model.tokenizer, chosen)
        shown = []
        for text, right, found in zip(
            inputs, outputs, model.predict(inputs, beam=1), strict=True
        ):
            predicted = found[0].output if found else ""
            remark = "" if predicted == right else f" (not {right})"
            shown.append(f"{text}: {predicted}{remark}")
        return "; ".join(shown)


def blank_of(tokenizer: Tokenizer) -> int | None:
    """Return the token of a blank, or None if it is not a known token."""
    ids = tokenizer.encode(" ")
    if len(ids) != 1 or tokenizer.count_unknown(ids):
        return None
    return int(ids[0])


def level_of(texts: Iterable[str], usual: str = "char") -> str:
    """Return "symbol" if texts consist of a few distinct symbols, else `usual`."""
    symbols: Counter[str] = Counter()
    several = 0
    for text in texts:
        found = text.split()
        symbols.update(found)
        several += len(found) > 1
    is_listed = several and len(symbols) <= MAX_SYMBOLS
    return (
        "symbol"
        if is_listed and symbols.total() >= SYMBOL_USES * len(symbols)
        else usual
    )
