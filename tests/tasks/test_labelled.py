"""Tasks on labelled data: examples in, batches and metrics out."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.data.batches import IGNORE
from charrnn.data.config import CorpusConfig
from charrnn.data.example_batches import inputs_of, targets_of
from charrnn.data.store import TokenStore
from charrnn.tasks import TASKS
from charrnn.tasks.labelled import level_of
from charrnn.text.sources import Source
from charrnn.tokenizers.base import BOUNDARY, Tokenizers

FILES = {
    "classify": ("a.tsv", "".join(f"word{k}\t{'odd' * (k % 2)}x\n" for k in range(40))),
    "tag": (
        "a.conll",
        "".join(f"a{k} N\n" + "b V\n" * (k % 4) + "\n" for k in range(40)),
    ),
    "translate": ("a.tsv", "".join(f"{'ab' * k}\t{'c ' * k}c\n" for k in range(1, 41))),
}

every_labelled_task = pytest.mark.parametrize("task", FILES)


def stored(
    task: str, folder: Path, **config: Any
) -> tuple[Any, TokenStore, Tokenizers]:
    """Return a task with the store and the tokenizers of its examples."""
    name, text = FILES[task]
    (folder / name).write_text(text)
    found = TASKS[task]()
    sources = [Source(str(folder / name))]
    data = found.data(sources, CorpusConfig(**config), valid_sources=(), raw=False)
    tokenizers = found.tokenizers(data, {}, {})
    return found, found.parts(data, tokenizers, folder / "store"), tokenizers


@every_labelled_task
def test_every_example_is_in_one_part(task: str, tmp_path: Path) -> None:
    _, store, _ = stored(task, tmp_path)

    assert len(store.train.lengths) + len(store.valid.lengths) == 40
    assert len(inputs_of(store.train).lengths) == len(store.train.lengths)
    assert store.leaked == 0


@every_labelled_task
def test_validation_predicts_every_target_once(task: str, tmp_path: Path) -> None:
    found, store, _ = stored(task, tmp_path)

    batches = [batch for group in found.validation(store.valid) for batch in group]

    assert sum(batch.tokens for batch in batches) == store.valid.targets
    for batch in batches:
        read = np.arange(len(batch.source))[:, None] < batch.lengths
        assert (batch.source[~read] == BOUNDARY).all()
        assert (batch.source[read] != BOUNDARY).all()


@every_labelled_task
def test_epoch_trains_on_every_target_once(task: str, tmp_path: Path) -> None:
    found, store, _ = stored(task, tmp_path)

    batches = found.training(store.train, batch=4, bptt=8, seed=1)
    counts = [batches.batch(k).tokens for k in range(batches.steps_per_epoch)]

    assert sum(counts) == store.train.targets


@every_labelled_task
def test_right_outputs_have_no_errors_and_wrong_ones_only_errors(
    task: str, tmp_path: Path
) -> None:
    found, store, tokenizers = stored(task, tmp_path)
    targets, _ = targets_of(store.valid)
    nats = np.full(len(targets), 0.5)

    right = found.measure(nats, store.valid, targets, tokenizers.output)
    wrong = found.measure(nats, store.valid, targets * 0 + 99, _large(tokenizers))

    assert right.errors == pytest.approx(0)
    assert wrong.errors == pytest.approx(1)
    assert right.loss_nats == 0.5
    assert found.describe(right.to_json())


def _large(tokenizers: Tokenizers) -> Any:
    """Return an output tokenizer with at least 100 ids."""

    class Large:
        vocab_size = 100

        def piece(self, token: int) -> str:
            return str(token)

    return Large()


@pytest.mark.parametrize(("seed", "other"), [(1, 1), (1, 2)])
def test_split_depends_on_the_seed_only(seed: int, other: int, tmp_path: Path) -> None:
    stores = []
    for k, value in enumerate((seed, other)):
        folder = tmp_path / str(k)
        folder.mkdir()
        stores.append(stored("classify", folder, seed=value)[1])

    one, two = (inputs_of(store.valid).tokens.tolist() for store in stores)
    assert (one == two) == (seed == other)


def test_rows_are_padded_only_at_the_end(tmp_path: Path) -> None:
    found, store, _ = stored("translate", tmp_path)

    ((batch,), *_) = found.validation(store.valid)

    is_target = batch.targets != IGNORE
    assert (is_target[:-1] >= is_target[1:]).all()


def test_few_symbols_with_blanks_are_read_as_symbols() -> None:
    assert level_of(["a b", "b a"] * 20) == "symbol"
    assert level_of(["ab"] * 20) == "char"
    assert level_of([f"once {k}" for k in range(99)]) == "char"
