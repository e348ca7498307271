"""A mixture of two small models that share a tokenizer, and its text."""

from charrnn.inference.text_model import TextModel
from charrnn.models.mixture import MixtureModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit
from support.models import random_model
from support.ngrams import fit_ngrams

TEXT = "how much wood would a woodchuck chuck"


def mixed_text_model(smoothing: str = "kneser-ney") -> TextModel:
    """Return a mixture of a random network and a 4-gram model of the text."""
    tokenizer = fit([TEXT], TokenizerConfig(level="char", min_count=1))
    V = tokenizer.vocab_size
    network = random_model(RecurrentConfig(V, "lstm", hidden=6, embed=4))
    ids = tokenizer.encode(TEXT).tolist()
    ngram = fit_ngrams([ids], NgramConfig(V, 4, smoothing))
    return TextModel(MixtureModel([network, ngram], [0.25, 0.75]), tokenizer)
