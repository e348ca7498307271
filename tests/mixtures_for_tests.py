"""A mixture of two small models that share a tokenizer, and its text."""

from models_for_tests import random_model
from ngrams_for_tests import fit_ngrams

from charrnn.config import NgramConfig, RecurrentConfig, TokenizerConfig
from charrnn.models.mixture import MixtureModel
from charrnn.text_model import TextModel
from charrnn.tokenizers import fit

TEXT = "how much wood would a woodchuck chuck"


def mixed_text_model(smoothing: str = "kneser-ney") -> TextModel:
    """Return a mixture of a random network and a 4-gram model of the text."""
    tokenizer = fit([TEXT], TokenizerConfig(level="char", min_count=1))
    V = tokenizer.vocab_size
    network = random_model(RecurrentConfig(V, "lstm", hidden=6, embed=4))
    ids = tokenizer.encode(TEXT).tolist()
    ngram = fit_ngrams([ids], NgramConfig(V, 4, smoothing))
    return TextModel(MixtureModel([network, ngram], [0.25, 0.75]), tokenizer)
