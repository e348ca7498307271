"""Collecting texts token by token as they are sampled."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from charrnn.inference.config import SampleConfig
from charrnn.inference.sampling import generate
from charrnn.inference.score import Score
from charrnn.models.base import Floats, LanguageModel, State, token_nats
from charrnn.text.size import text_size
from charrnn.tokenizers.base import BOUNDARY, Tokenizer

NATS_AT_ONCE = 64  # in batches, computing nats takes a tenth of the time


@dataclass(frozen=True)
class Sample:
    """A text that a model wrote after a prompt.

    tokens: the number of drawn tokens. nats: their nats, without temperature or
    filters. Scoring the text gives the same nats if it encodes to the same tokens.
    finish: why the text ended. "end": the model drew the end, which counts as a token;
    "length": the text reached the maximum length; "stop": it was cut after a stop text.
    """

    text: str
    prompt: str
    seed: int
    tokens: int
    nats: float
    finish: str

    @property
    def score(self) -> Score:
        """The score of the drawn tokens."""
        return Score.of(self.nats, self.tokens, text_size(self.text))


class Writer:
    """Collects one text, token by token, and detects its end."""

    def __init__(
        self, tokenizer: Tokenizer, prompt: str, config: SampleConfig, *, seed: int
    ) -> None:
        self.tokenizer, self.prompt, self.config = tokenizer, prompt, config
        self.seed = seed
        self.finish = ""
        self._decoder = tokenizer.stream(prompt)
        self._text = ""
        self._tokens = 0
        self._nats = 0.0
        self._drawn: list[tuple[int, Floats]] = []  # not yet included in _nats

    def take(self, token: int, logits: Floats) -> str:
        """Append a token, which was drawn from logits (V,); return the added text."""
        if self.finish:
            return ""
        self._tokens += 1
        self._drawn.append((token, logits))
        if len(self._drawn) == NATS_AT_ONCE:
            self._sum_nats()
        before = len(self._text)
        self._text += self._decoder.feed(token)
        if token == BOUNDARY:
            self.finish = "end"
        elif self._cut_after_stop(before):
            self.finish = "stop"
        elif self._tokens == self.config.length:
            self.finish = "length"
        if self.finish in ("end", "length"):
            self._text += self._decoder.flush()
        return self._text[before:]

    @property
    def sample(self) -> Sample:
        """The text so far."""
        self._sum_nats()
        written = self._text, self.prompt, self.seed
        return Sample(*written, self._tokens, self._nats, self.finish)

    def _sum_nats(self) -> None:
        if self._drawn:
            tokens, logits = zip(*self._drawn, strict=True)
            nats = token_nats(np.stack(logits), np.array(tokens))
            self._nats += float(nats.sum(dtype=np.float64))
            self._drawn.clear()

    def _cut_after_stop(self, before: int) -> bool:
        """Cut the text after the first stop text that ends in its new part, if any."""
        ends = [
            at + len(stop)
            for stop in self.config.stop
            if (at := self._text.find(stop, max(0, before - len(stop) + 1))) >= 0
        ]
        if ends:
            self._text = self._text[: min(ends)]
        return bool(ends)


class Stream:
    """The pieces of one text as it is sampled; `sample` is the text so far."""

    def __init__(
        self, model: LanguageModel, writer: Writer, state: State | None = None
    ) -> None:
        self._writer = writer
        self._pieces = write(model, [writer], state)

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    @property
    def sample(self) -> Sample:
        """The text so far."""
        return self._writer.sample


def write(
    model: LanguageModel, writers: Sequence[Writer], state: State | None = None
) -> Iterator[str]:
    """Sample all texts in one batch until they end; yield pieces of the first text.

    All writers must have the same tokenizer, prompt and sampling options. state: see
    `generate`.
    """
    first = writers[0]
    tokens = generate(
        model,
        first.tokenizer.encode(first.prompt),
        first.config,
        rngs=[np.random.default_rng(writer.seed) for writer in writers],
        never=first.tokenizer.never_generated,
        state=state,
    )
    for drawn in tokens:
        rows = zip(writers, drawn.tokens.tolist(), drawn.logits, strict=True)
        pieces = [writer.take(token, logits) for writer, token, logits in rows]
        if pieces[0]:
            yield pieces[0]
        if all(writer.finish for writer in writers):
            return


def fresh_seed() -> int:
    """Return a random seed that is short enough to retype."""
    return secrets.randbelow(2**31)
