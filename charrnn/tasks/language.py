"""Language modelling: predicting each token from all earlier ones."""

from collections.abc import Iterator
from pathlib import Path

from charrnn.data.batches import Batch, Batches, training_batches
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, TokenStore
from charrnn.data.validation import validation_batches
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, score_of
from charrnn.tasks.base import Task
from charrnn.tokenizers.base import Tokenizer


class LanguageTask(Task):
    """Predicts the next token; its metrics are a `Score`."""

    name = "language"
    families = ("recurrent", "window", "ngram")

    def parts(self, corpus: Corpus, tokenizer: Tokenizer, folder: Path) -> TokenStore:
        """Encode, split and store the corpus. Raises TextError."""
        return corpus.write_store(tokenizer, folder)

    def training(self, part: Part, *, batch: int, bptt: int, seed: int) -> Batches:
        """Return batches of streams, or of whole documents if they are short."""
        return training_batches(part, batch=batch, bptt=bptt, seed=seed)

    def validation(self, part: Part) -> Iterator[list[Batch]]:
        """Yield batches with every target once, after enough preceding text."""
        return validation_batches(part)

    def measure(self, nats: Nats, part: Part) -> Score:
        """Return the score of a part.

        nats: -ln p of each target, (N,).
        """
        return score_of(nats, part)
