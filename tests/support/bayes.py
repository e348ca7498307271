"""Naive Bayes models of a few texts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from charrnn.data.parts import part_of
from charrnn.data.store import Part
from charrnn.inference.text_model import TextModel
from charrnn.models.bayes.config import BayesConfig
from charrnn.models.bayes.model import BayesModel
from charrnn.storage.records import ModelSummary
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.base import Tokenizers
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.label import LabelTokenizer


def classifier_tokenizers(
    texts: Iterable[str], labels: Iterable[str], level: str = "char"
) -> Tokenizers:
    """Return tokenizers that know all characters and labels."""
    config = TokenizerConfig(min_count=1)
    source = TOKENIZERS[level].fit(texts, config)
    return Tokenizers(LabelTokenizer.fit(labels, config), source)


def classifier_part(
    texts: Iterable[str], labels: Iterable[str], tokenizers: Tokenizers
) -> Part:
    """Return labelled texts as a part."""
    assert tokenizers.source
    source = part_of(texts, tokenizers.source, learns_end=False)
    part = part_of(labels, tokenizers.output, learns_end=False)
    return replace(part, source=source)


def fit_text_model(
    texts: Sequence[str], labels: Sequence[str], *more: str, level: str = "char"
) -> TextModel:
    """Return a naive Bayes model of texts. more: labels that do not occur."""
    tokenizers = classifier_tokenizers(["?", *texts], [*labels, *more], level)
    assert tokenizers.source
    config = BayesConfig(tokenizers.output.vocab_size, tokenizers.source.vocab_size)
    part = classifier_part(texts, labels, tokenizers)
    model = BayesModel.fit(config, part, tokenizers)
    return TextModel(
        model,
        tokenizers.output,
        source_tokenizer=tokenizers.source,
        summary=ModelSummary(learned_end=False, task="classify"),
    )


def fit_bayes(texts: Sequence[str], labels: Sequence[str], *more: str) -> BayesModel:
    """Return a naive Bayes model of texts, by character."""
    model = fit_text_model(texts, labels, *more).model
    assert isinstance(model, BayesModel)
    return model
