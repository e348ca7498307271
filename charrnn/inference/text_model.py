"""A model with its tokenizers, which takes text and returns text or scores."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from charrnn.inference.config import SampleConfig
from charrnn.inference.prediction.predicting import (
    Prediction,
    continue_texts,
    output_nats,
    predict,
)
from charrnn.inference.score import Score
from charrnn.inference.scoring import Nats, batch_nats, next_token_scores
from charrnn.inference.writing import Sample, Stream, Writer, fresh_seed, write
from charrnn.models.base import ConditionalModel, LanguageModel, State, padded
from charrnn.storage.records import ModelSummary
from charrnn.text.size import text_size
from charrnn.tokenizers.base import BOUNDARY, Ids, Tokenizer, Tokenizers

SIDE_BY_SIDE = 64  # maximum number of texts sampled in one batch


@dataclass(frozen=True)
class TokenScore:
    """One token of a text, its position and its surprisal.

    start, end: character offsets. rank: one plus the number of more likely tokens.
    top: the most likely tokens at this position, with their nats.
    """

    token: int
    start: int
    end: int
    nats: float
    rank: int
    top: tuple[tuple[int, float], ...] = ()


class TextModel:
    """A model that samples and scores text, as returned by `charrnn.load`.

    summary: how the model was trained. name: a name to display. source: the file that
    it was loaded from, if any.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        *,
        source_tokenizer: Tokenizer | None = None,
        summary: ModelSummary | None = None,
        name: str = "",
        source: Path | None = None,
    ) -> None:
        if model.vocab_size != tokenizer.vocab_size:
            raise ValueError(
                f"the model has {model.vocab_size} tokens, but its tokenizer has"
                f" {tokenizer.vocab_size}"
            )
        reads = source_tokenizer.vocab_size if source_tokenizer else 0
        if model.source_size != reads:
            raise ValueError(
                f"the model reads inputs of {model.source_size} tokens, but the"
                f" tokenizer of inputs has {reads}"
            )
        self.model = model
        self.tokenizer = tokenizer
        self.source_tokenizer = source_tokenizer
        self.summary = summary or ModelSummary()
        self.name = name
        self.source = source

    def __repr__(self) -> str:
        return f"TextModel({self.name or 'unnamed'}, {self.model.config_json()})"

    def with_model(self, model: LanguageModel) -> "TextModel":
        """Return a copy with another model."""
        found = copy(self)
        found.model = model
        return found

    @property
    def learned_end(self) -> bool:
        """Whether the model was trained on the ends of many documents.

        Other models cannot predict where a text ends, so by default they do not score
        ends.
        """
        return self.summary.learned_end in (None, True)

    def score(self, text: str, *, context: str = "", end: bool | None = None) -> Score:
        """Return the score of a text. The arguments are those of `score_all`."""
        return self.score_all([text], context=context, end=end)[0]

    def score_all(
        self, texts: Sequence[str], *, context: str = "", end: bool | None = None
    ) -> list[Score]:
        """Return the score of each text. Texts do not affect each other's scores.

        end: whether the scores include the ends of the texts (default: `learned_end`).
        """
        end = self.learned_end if end is None else end
        ids = [self.tokenizer.encode(text) for text in texts]
        before = self.tokenizer.encode(context)
        all_nats = batch_nats(self.model, ids, context=before, end=end)
        return self._scores(texts, ids, all_nats)

    def score_outputs(
        self, inputs: Sequence[str], outputs: Sequence[str]
    ) -> list[Score]:
        """Return the score of each output, given its input.

        Scores include the ends of outputs if the model predicts ends, as translators
        do. Raises TextError for a label that the model does not know.
        """
        assert isinstance(self.model, ConditionalModel)
        ids = [self.tokenizer.encode(text) for text in outputs]
        all_nats = output_nats(
            self.model, self._input_ids(inputs), ids, end=self.learned_end
        )
        return self._scores(outputs, ids, all_nats)

    def score_tokens(
        self, text: str, *, context: str = "", end: bool | None = None, top: int = 0
    ) -> Iterator[TokenScore]:
        """Yield each token with its surprisal, and the `top` most likely tokens."""
        ids, ends = self.tokenizer.encode_with_ends(text)
        if self.learned_end if end is None else end:
            ids, ends = np.append(ids, BOUNDARY), np.append(ends, len(text))
        before = self.tokenizer.encode(context)
        start = at = 0
        for block in next_token_scores(self.model, ids, context=before):
            for row in block:
                token = int(ids[at])
                best = np.argsort(-row, kind="stable")[:top].tolist() if top else []
                yield TokenScore(
                    token,
                    start,
                    int(ends[at]),
                    nats=0.0 - float(row[token]),
                    rank=1 + int((row > row[token]).sum()),
                    top=tuple((t, 0.0 - float(row[t])) for t in best),
                )
                start, at = int(ends[at]), at + 1

    def predict(
        self, inputs: Sequence[str], *, num: int = 1, beam: int = 5, length: int = 100
    ) -> list[list[Prediction]]:
        """Return the best outputs for each input, best first.

        The outputs of a language model are the most likely continuations, of at most
        `length` tokens. beam: the number of prefixes to keep; 1 is greedy.
        """
        if not isinstance(self.model, ConditionalModel):
            return continue_texts(
                self.model,
                self.tokenizer,
                inputs,
                length=length,
                num=num,
                beam=beam,
                learned_end=self.learned_end,
            )
        tokenizers = Tokenizers(self.tokenizer, self.source_tokenizer)
        return predict(self.model, tokenizers, inputs, num=num, beam=beam)

    def sample(
        self,
        prompt: str = "",
        *,
        num: int = 1,
        seed: int | None = None,
        config: SampleConfig | None = None,
    ) -> Iterator[Sample]:
        """Yield `num` texts. Text k = 0, 1, ... has the seed `seed` + k."""
        seed = fresh_seed() if seed is None else seed
        config = config or SampleConfig()
        state, start = self._given(prompt)
        for first in range(seed, seed + num, SIDE_BY_SIDE):
            seeds = range(first, min(first + SIDE_BY_SIDE, seed + num))
            writers = [Writer(self.tokenizer, start, config, seed=k) for k in seeds]
            for _ in write(self.model, writers, state):
                pass
            yield from (replace(writer.sample, prompt=prompt) for writer in writers)

    def stream(
        self,
        prompt: str = "",
        *,
        seed: int | None = None,
        config: SampleConfig | None = None,
    ) -> Stream:
        """Return an iterator over the pieces of one text as it is sampled."""
        seed = fresh_seed() if seed is None else seed
        config = config or SampleConfig()
        state, start = self._given(prompt)
        writer = Writer(self.tokenizer, start, config, seed=seed)
        return Stream(self.model, writer, state)

    def _given(self, prompt: str) -> tuple[State | None, str]:
        """Return the state to sample from, and the text to continue.

        If the model reads inputs, the prompt is an input, and the text is empty.
        """
        if not isinstance(self.model, ConditionalModel):
            return None, prompt
        return self.model.read(*padded(self._input_ids([prompt]))), ""

    def _scores(
        self, texts: Sequence[str], ids: Sequence[Ids], all_nats: Sequence[Nats]
    ) -> list[Score]:
        unknown = map(self.tokenizer.count_unknown, ids)
        return [
            Score.of(float(nats.sum()), len(nats), text_size(text), count)
            for text, nats, count in zip(texts, all_nats, unknown, strict=True)
        ]

    def as_read(self, inputs: Iterable[str]) -> Iterator[str]:
        """Yield inputs as the model reads them: an unknown character is U+FFFD."""
        reader = self.source_tokenizer
        assert reader
        return (reader.decode(reader.encode(text)) for text in inputs)

    def _input_ids(self, inputs: Sequence[str]) -> list[Ids]:
        assert self.source_tokenizer
        return [self.source_tokenizer.encode(text) for text in inputs]
