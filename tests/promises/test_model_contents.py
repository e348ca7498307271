"""Whole model files of every family, with contents that do not fit."""

import random
import time
from pathlib import Path
from typing import Any

import pytest
from support.audit import CHANGING, NETWORK, RUNNING, changed_paths, noted, of_kind
from support.families import CONDITIONAL, MODELS, model_of
from support.hostile_contents import CONTENTS, Meta, Tensors, changed
from support.levels import cases
from support.parts import peak_bytes

from charrnn.errors import CharRNNError, ModelFileError
from charrnn.inference.checkpoint import load, save
from charrnn.inference.config import SampleConfig
from charrnn.inference.text_model import TextModel
from charrnn.storage.tensors import read_tensors, write_tensors


def parts_of(family: str, path: Path) -> tuple[Tensors, Meta]:
    """Return the tensors and the metadata of a model of a family."""
    save(path, model_of(family))
    return read_tensors(path)


@pytest.fixture(scope="module")
def _imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load a model of every family, so that all modules are imported."""
    for family in MODELS:
        path = tmp_path_factory.mktemp("good") / "model.safetensors"
        save(path, model_of(family))
        load(path)


@pytest.mark.promise("R7")
@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("row", CONTENTS)
def test_contents_that_do_not_fit_are_refused_at_once(row: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    family, change = CONTENTS[row]
    tensors, meta = parts_of(family, path)
    change(tensors, meta)
    write_tensors(path, tensors, meta)

    def refused() -> None:
        with pytest.raises(ModelFileError) as caught:
            load(path)
        assert str(path) in caught.value.message
        assert len(caught.value.message) < 400

    began = time.process_time()
    with noted() as events:
        refused()
    assert time.process_time() - began < 1
    assert not of_kind(events, RUNNING + NETWORK + CHANGING)
    assert not changed_paths(events)
    assert peak_bytes(refused) < 3 * path.stat().st_size + (32 << 20)


def use(model: TextModel) -> None:
    """Do all that a command does with a model."""
    texts = ["the cat", "", "\u00e9", "a b c"]
    for beam in (1, 3):
        found = model.predict(texts, num=2, beam=beam, length=5)
    list(model.sample("a b", num=2, seed=1, config=SampleConfig(length=5)))
    known = [(x, one[0].output) for x, one in zip(texts, found, strict=True) if one]
    model.score_outputs([x for x, _ in known], [output for _, output in known])


# weights may be anything, so that sums overflow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.promise("R6")
@pytest.mark.parametrize("family", CONDITIONAL)
def test_any_contents_are_refused_or_make_a_model(family: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors, meta = parts_of(family, path)
    chance = random.Random(family)

    for _ in range(cases(60, 5000)):
        write_tensors(path, *changed(tensors, meta, chance))
        began = time.process_time()
        try:
            model: Any = load(path)
        except ModelFileError:
            model = None

        assert time.process_time() - began < 1
        try:
            if model:
                use(model)
        except CharRNNError:  # a text that this tokenizer cannot encode
            continue
