"""The validation text of a run, and n-gram baselines counted on its corpus."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from support.corpus import LINES, texts_of

from charrnn.data.store import TokenStore
from charrnn.errors import CharRNNError, ModelFileError, NotFoundError, TextError
from charrnn.inference import checkpoint
from charrnn.inference.baselines import ORDERS, ladder, validation_documents
from charrnn.inference.comparing import Texts, read
from charrnn.storage.runs import Run
from charrnn.tokenizers import loading as tokenizers
from charrnn.training.prepare import train

PROSE = "it was a dark and stormy night; the rain fell in torrents. naïve! " * 14


def counted_run(**options: Any) -> Run:
    """Return a run of a 2-gram model of corpus.txt."""
    given = {"family": "ngram", "order": 2, "min_count": 1} | options
    return Run(train(["corpus.txt"], **given))


def store_of(run: Run) -> tuple[TokenStore, tokenizers.Tokenizer]:
    tokenizer = tokenizers.from_json(run.read_info()["tokenizer"])
    return TokenStore.open(run.tokens), tokenizer


# --- the validation text


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"level": "byte"},
        {"valid_frac": 0.3},
        {"documents": "line", "seed": 5},
        {"documents": "1"},
        {"valid": ["other.txt"]},
    ],
    ids=["one text", "bytes", "a larger share", "lines", "a separator", "a file"],
)
def test_validation_documents_are_those_that_validated(
    bare_setting: Path, options: dict[str, Any]
) -> None:
    Path("corpus.txt").write_text(LINES if "documents" in options else PROSE)
    Path("other.txt").write_text("it is an other night")
    run = counted_run(**options)

    documents = validation_documents(run)

    store, tokenizer = store_of(run)
    assert list(documents) == texts_of(store.valid, tokenizer)
    texts = Texts(documents, ends=store.learns_end)
    found = read(checkpoint.load(run.model), texts).score
    best = run.read_info()["best"]
    assert found.nats_per_token == pytest.approx(best["nats_per_token"])
    assert found.bits_per_char == pytest.approx(best["bits_per_char"])


def change() -> None:
    Path("corpus.txt").write_text(PROSE.replace("rain", "snow"))


def forget_split() -> None:
    path = next(Path("runs").iterdir()) / "run.json"
    info = json.loads(path.read_text())
    del info["split"]
    path.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("harm", "error", "said"),
    [
        (lambda: Path("corpus.txt").unlink(), NotFoundError, "does not exist"),
        (change, TextError, "has changed"),
        (forget_split, ModelFileError, "does not record its validation text"),
    ],
    ids=["gone", "changed", "not recorded"],
)
def test_validation_text_that_is_gone_is_an_error_with_a_hint(
    bare_setting: Path, harm: Any, error: type[CharRNNError], said: str
) -> None:
    Path("corpus.txt").write_text(PROSE)
    run = counted_run()
    harm()

    with pytest.raises(error, match=said) as raised:
        validation_documents(run)

    assert "`file`" in raised.value.hint


# --- the baselines


@pytest.mark.parametrize("documents", ["file", "line"])
def test_ladder_is_uniform_and_the_ngrams_of_the_training_part(
    bare_setting: Path, documents: str
) -> None:
    Path("corpus.txt").write_text(LINES)
    run = counted_run(documents=documents)
    store, tokenizer = store_of(run)
    texts = Texts(validation_documents(run), ends=store.learns_end)

    uniform, *ngrams = ladder(store, tokenizer)

    names = ["unigram", *(f"{n}-gram" for n in ORDERS[1:])]
    assert [model.name for model in ngrams] == names
    bits = read(uniform, texts).score.bits_per_token
    assert bits == pytest.approx(math.log2(tokenizer.vocab_size), rel=1e-6)
    of_run = run.read_info()["best"]["nats_per_token"]
    assert read(ngrams[1], texts).score.nats_per_token == pytest.approx(of_run)
