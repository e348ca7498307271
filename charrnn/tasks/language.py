"""Language modelling: predicting each token from all earlier ones."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from charrnn.data.batches import Batch, Batches, training_batches
from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, TokenStore
from charrnn.data.validation import validation_batches
from charrnn.inference.baselines import best_ngram
from charrnn.inference.config import SampleConfig
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, score_of
from charrnn.inference.text_model import TextModel
from charrnn.tasks.base import Stop, Task, figure
from charrnn.text.sources import Source
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Ids, Tokenizer, Tokenizers
from charrnn.tokenizers.config import TokenizerConfig

SAMPLE_TOKENS = 120  #: length of the text shown at each validation


class LanguageTask(Task[Corpus]):
    """Predicts the next token; its metrics are a `Score`."""

    name = "language"
    loss_unit = "bits/char"
    temperature = 0.8

    @staticmethod
    def per_nat(part: Part) -> float:
        """Return the factor that converts nats per token to bits per character."""
        return part.targets / max(1, part.characters) / math.log(2)

    @staticmethod
    def describe(values: Mapping[str, Any]) -> str:
        """Return the bits per character, and the share of unknown tokens if any."""
        unknown = values["unknown"] / max(1, values["tokens"])
        # unknown tokens make the score too good: their spelling is not predicted
        share = f", {unknown:.1%} unknown" if unknown >= 0.001 else ""
        rate = figure(values["nats_per_token"], 4)
        bits = figure(values["bits_per_char"])
        return f"{bits} bits/char ({rate} nats/token){share}"

    @staticmethod
    def brief(values: Mapping[str, Any]) -> str:
        """Return the bits per character."""
        return figure(values["bits_per_char"])

    def data(
        self,
        sources: Sequence[Source],
        config: CorpusConfig,
        *,
        valid_sources: Sequence[Source],
        raw: bool,
    ) -> Corpus:
        """Return the corpus."""
        return Corpus(sources, config, raw, valid_sources=valid_sources)

    def tokenizers(
        self, data: Corpus, wanted: Mapping[str, Any], given: Mapping[str, Tokenizer]
    ) -> Tokenizers:
        """Return the tokenizer of the text."""
        if "output" in given:
            return Tokenizers(given["output"])
        return Tokenizers(loading.fit(data.training_texts(), TokenizerConfig(**wanted)))

    def parts(self, data: Corpus, tokenizers: Tokenizers, folder: Path) -> TokenStore:
        """Encode, split and store the corpus. Raises TextError."""
        return data.write_store(tokenizers.output, folder)

    def baseline(
        self, store: TokenStore, tokenizers: Tokenizers, stop: Stop
    ) -> dict[str, Any] | None:
        """Return the order and the metrics of the n-gram model that predicts best."""
        found = best_ngram(store, stop)
        if not found:
            return None
        order = found[0].config.order
        metrics = score_of(found[1], store.valid).to_json()
        return {"name": f"{order}-grams", "order": order} | metrics

    def training(self, part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
        """Return batches of streams, or of whole documents if they are short."""
        return training_batches(part, batch=batch, bptt=bptt, seed=seed)

    def validation(self, part: Part) -> Iterator[list[Batch]]:
        """Yield batches with every target once, each after enough preceding text."""
        return validation_batches(part)

    def sample(self, model: TextModel, part: Part, step: int) -> str:
        """Return a text that the model wrote."""
        config = SampleConfig(temperature=self.temperature, length=SAMPLE_TOKENS)
        return next(model.sample(seed=step, config=config)).text

    def measure(
        self, nats: Nats, part: Part, best: Ids | None, output: Tokenizer
    ) -> Score:
        """Return the score of a part."""
        return score_of(nats, part)
