"""A language model together with its tokenizer: text in, text and numbers out.

This is what `charrnn.load` returns.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from charrnn.config import SampleConfig
from charrnn.models import LanguageModel, token_nats
from charrnn.models.base import Floats
from charrnn.sampling import generate
from charrnn.scoring import Score, batch_nats, next_token_scores, text_size
from charrnn.tokenizers import BOUNDARY, Tokenizer

SIDE_BY_SIDE = 64  # texts written at a time
NATS_AT_ONCE = 64  # tokens whose nats are summed in one go: a tenth of the time


@dataclass(frozen=True)
class Sample:
    """A text that a model wrote after a prompt, and why it ended there.

    tokens, nats: of what was drawn, under the model itself: what scoring the text
    gives, if its tokens are those that were drawn. finish: "end" (it was drawn, and
    counts as a token), "length" or "stop" (the text is cut after that text).
    """

    text: str
    prompt: str
    seed: int
    tokens: int
    nats: float
    finish: str

    @property
    def score(self) -> Score:
        """The nats of the sample, as a score of its text."""
        return Score(self.nats, self.tokens, *text_size(self.text))


@dataclass(frozen=True)
class TokenScore:
    """One token of a text: where it stands and what the model thought of it.

    start, end: character offsets. rank: 1 if no token was likelier. top: the
    likeliest tokens there, with their nats.
    """

    token: int
    start: int
    end: int
    nats: float
    rank: int
    top: tuple[tuple[int, float], ...] = ()


class TextModel:
    """A model that writes and scores text."""

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        *,
        summary: dict[str, Any] | None = None,
        name: str = "",
    ) -> None:
        if model.vocab_size != tokenizer.vocab_size:
            theirs = f"its tokenizer {tokenizer.vocab_size}"
            raise ValueError(f"the model has {model.vocab_size} tokens, {theirs}")
        self.model = model
        self.tokenizer = tokenizer
        self.summary = summary or {}
        self.name = name

    def __repr__(self) -> str:
        return f"TextModel({self.name or 'unnamed'}, {self.model.config_json()})"

    @property
    def learned_end(self) -> bool:
        """Whether the model was trained on the ends of many documents.

        A model of one long text never saw an end, so that by default it isn't asked
        how likely one is.
        """
        return bool(self.summary.get("learned_end", True))

    def score(self, text: str, *, context: str = "", end: bool | None = None) -> Score:
        """Return the score of one text; `end` None counts it if it was learned."""
        return self.score_all([text], context=context, end=end)[0]

    def score_all(
        self, texts: Sequence[str], *, context: str = "", end: bool | None = None
    ) -> list[Score]:
        """Return the score of each text, none of which sees another."""
        end = self.learned_end if end is None else end
        ids = [self.tokenizer.encode(text) for text in texts]
        before = self.tokenizer.encode(context)
        all_nats = batch_nats(self.model, ids, context=before, end=end)
        scores = []
        for text, tokens, nats in zip(texts, ids, all_nats, strict=True):
            unknown = self.tokenizer.count_unknown(tokens)
            size = text_size(text)
            scores.append(Score(float(nats.sum()), len(nats), *size, unknown))
        return scores

    def score_tokens(
        self, text: str, *, context: str = "", end: bool | None = None, top: int = 0
    ) -> Iterator[TokenScore]:
        """Yield each token of a text with its surprisal, and the `top` likeliest."""
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

    def sample(
        self,
        prompt: str = "",
        *,
        num: int = 1,
        seed: int | None = None,
        config: SampleConfig | None = None,
    ) -> Iterator[Sample]:
        """Yield `num` texts; the seed of the k-th is `seed` + k, whatever `num` is."""
        seed = fresh_seed() if seed is None else seed
        config = config or SampleConfig()
        for first in range(seed, seed + num, SIDE_BY_SIDE):
            seeds = range(first, min(first + SIDE_BY_SIDE, seed + num))
            writers = [Writer(self, prompt, config, seed=k) for k in seeds]
            for _ in write(self, prompt, config, writers):
                pass
            yield from (writer.sample for writer in writers)

    def stream(
        self,
        prompt: str = "",
        *,
        seed: int | None = None,
        config: SampleConfig | None = None,
    ) -> "Stream":
        """Return an iterator over the pieces of one text, as it is written."""
        seed = fresh_seed() if seed is None else seed
        return Stream(self, prompt, config or SampleConfig(), seed=seed)


class Writer:
    """Collects one text token by token, and notices where it ends."""

    def __init__(
        self, model: TextModel, prompt: str, config: SampleConfig, *, seed: int
    ) -> None:
        self.seed = seed
        self.finish = ""
        self._prompt = prompt
        self._config = config
        self._decoder = model.tokenizer.stream()
        self._text = ""
        self._tokens = 0
        self._nats = 0.0
        self._drawn: list[tuple[int, Floats]] = []  # not yet in the nats

    def take(self, token: int, logits: Floats) -> str:
        """Add a token drawn from logits (V,); return the text that it completes."""
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
        elif self._tokens == self._config.length:
            self.finish = "length"
        if self.finish in ("end", "length"):
            self._text += self._decoder.flush()
        return self._text[before:]

    @property
    def sample(self) -> Sample:
        """What was written so far."""
        self._sum_nats()
        return Sample(
            self._text,
            self._prompt,
            self.seed,
            self._tokens,
            self._nats,
            self.finish,
        )

    def _sum_nats(self) -> None:
        if self._drawn:
            tokens, logits = zip(*self._drawn, strict=True)
            nats = token_nats(np.stack(logits), np.array(tokens))
            self._nats += float(nats.sum(dtype=np.float64))
            self._drawn.clear()

    def _cut_after_stop(self, before: int) -> bool:
        """Cut the text after the stop that ends first in the new part, if any."""
        ends = []
        for stop in self._config.stop:
            at = self._text.find(stop, max(0, before - len(stop) + 1))
            if at >= 0:
                ends.append(at + len(stop))
        if ends:
            self._text = self._text[: min(ends)]
        return bool(ends)


class Stream:
    """The pieces of one text as it is written; `sample` is the text so far."""

    def __init__(
        self, model: TextModel, prompt: str, config: SampleConfig, *, seed: int
    ) -> None:
        self._writer = Writer(model, prompt, config, seed=seed)
        self._pieces = write(model, prompt, config, [self._writer])

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    @property
    def sample(self) -> Sample:
        """What was written so far."""
        return self._writer.sample


def write(
    model: TextModel, prompt: str, config: SampleConfig, writers: Sequence[Writer]
) -> Iterator[str]:
    """Write texts side by side until each is finished; yield the first one's pieces."""
    tokens = generate(
        model.model,
        model.tokenizer.encode(prompt),
        config,
        rngs=[np.random.default_rng(writer.seed) for writer in writers],
        never=model.tokenizer.never_generated,
    )
    for drawn in tokens:
        pieces = [
            writer.take(token, logits)
            for writer, token, logits in zip(
                writers, drawn.tokens.tolist(), drawn.logits, strict=True
            )
        ]
        if pieces[0]:
            yield pieces[0]
        if all(writer.finish for writer in writers):
            return


def fresh_seed() -> int:
    """Return a seed that nobody chose, small enough to type again."""
    return secrets.randbelow(2**31)
