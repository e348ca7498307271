"""A small model of every family, with its tokenizers, as a file holds it."""

import contextlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig
from charrnn.models.product import ProductModel
from charrnn.models.window.config import WindowConfig
from support.bayes import fit_text_model
from support.checkpoints import some_model
from support.conditional import EXAMPLES, conditional_model
from support.labellers import SMALL, random_labeller
from support.mixtures import mixed_text_model
from support.models import fit_ngrams, random_network

#: the letters a, b and c of the inputs, and the outputs x, y and z
COPIES = (0, 0, 2, 3, 4)


def ngram_model() -> TextModel:
    """Return a 3-gram model of characters."""
    model = some_model()
    ids = model.tokenizer.encode("the cat\nthe teeth\n" * 3).tolist()
    config = NgramConfig(model.tokenizer.vocab_size, order=3)
    return TextModel(fit_ngrams([ids], config), model.tokenizer)


def window_model() -> TextModel:
    """Return a network that sees three characters."""
    tokenizer = some_model().tokenizer
    config = WindowConfig(tokenizer.vocab_size, order=3, hidden=4, embed=2)
    return TextModel(random_network(config), tokenizer)


def bayes_model() -> TextModel:
    """Return naive Bayes of the examples of a classifier."""
    texts, labels = zip(*EXAMPLES["classify"], strict=True)
    return fit_text_model(texts, labels)


def product_model() -> TextModel:
    """Return a network and naive Bayes, of the same labels."""
    counted = bayes_model()
    sizes = {
        "vocab_size": counted.model.vocab_size,
        "source_size": counted.model.source_size,
    }
    network = random_labeller(replace(SMALL, **sizes))
    return counted.with_model(ProductModel([network, counted.model], [0.5, 0.7]))


def tagger_model() -> TextModel:
    """Return a tagger with a CRF, known words and labels that mark spans."""
    found = conditional_model("tag")
    names = [found.tokenizer.piece(k) for k in range(found.tokenizer.vocab_size)]
    spans = ("", "", *(f"B-{name}" for name in names[2:]))
    return conditional_model("tag", crf=True, words=3, spans=spans)


LANGUAGE: dict[str, Callable[[], TextModel]] = {
    "recurrent": some_model,
    "window": window_model,
    "ngram": ngram_model,
    "mixture": mixed_text_model,
}
#: those that read an input
CONDITIONAL: dict[str, Callable[[], TextModel]] = {
    "classifier": lambda: conditional_model("classify"),
    "tagger": tagger_model,
    "translator": lambda: conditional_model(
        "translate", attention="additive", copy=True, copies=COPIES
    ),
    "bayes": bayes_model,
    "product": product_model,
}
MODELS = LANGUAGE | CONDITIONAL


@cache
def model_of(family: str) -> TextModel:
    """Return a model that is made once. It is not to be changed."""
    return MODELS[family]()


def write_fixtures(folder: Path) -> None:
    """Save a model of each of these families, and a translator's unfinished run."""
    from support.training import labelled_request, train, write_corpora  # torch

    for name in CONDITIONAL:
        checkpoint.save(folder / f"{name}.safetensors", model_of(name))
    run = str((folder / "run-translate").absolute())
    with tempfile.TemporaryDirectory() as data, contextlib.chdir(data):
        write_corpora()
        sizes = {"hidden": 4, "embed": 2, "steps": 6}
        train(labelled_request("translate", **sizes, out=run), until=3)


if __name__ == "__main__":
    write_fixtures(Path(sys.argv[1]))
