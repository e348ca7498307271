"""Model files that are being replaced, and those of older and newer programs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.checkpoints import some_model
from support.levels import cases

from charrnn.inference.checkpoint import load, save
from charrnn.storage import tensors as tensor_file
from charrnn.storage.runs import Run
from charrnn.training.prepare import session_type

# --- being replaced

SAVER = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.checkpoints import some_model
from charrnn.inference.checkpoint import save
from charrnn.storage.records import ModelSummary
for value in range(10**9):
    model = some_model()
    model.model._tensors["head.bias"][:] = value
    model.summary = ModelSummary(step=value)
    save(Path(sys.argv[1]), model)
    time.sleep(float(sys.argv[3]))
"""


@pytest.mark.promise("R16")
def test_reader_gets_a_whole_model_while_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, some_model())
    tests, every_s = str(Path(__file__).parents[1]), str(cases(1, 50) / 1000)
    seen = set()
    command = [sys.executable, "-c", SAVER, str(path), tests, every_s]
    with subprocess.Popen(command) as saver:
        try:
            count = 0
            while count < cases(50, 1000) or len(seen) < cases(3, 100):
                model, count = load(path), count + 1
                value = -1 if model.summary.validation else model.summary.step
                bias = model.model.tensors()["head.bias"]
                assert value < 0 or np.all(bias == value)
                assert value >= max(seen, default=-1)
                seen.add(value)
                assert saver.poll() is None
        finally:
            saver.kill()


# --- old and new versions

FIXTURES = Path(__file__).parents[1] / "fixtures"
#: of "the cat" in the model of every version and family
BITS = {
    "recurrent": 22.575058,
    "window": 28.362380,
    "ngram": 9.873684,
    "mixture": 34.213543,
    "byte": 60.563111,
    "word": 5.839253,
}


#: of an output, given an input, in the model of every version and family; made by
#: `cd tests; PYTHONPATH=..:. python -m support.families fixtures/format-N`
GIVEN_BITS = {
    "classifier": ("Lake Como", "place", 1.890987),
    "tagger": ("the old dog", "DET NOUN VERB", 4.493659),
    "translator": ("cab", "z x y", 10.769922),
    "bayes": ("Lake Como", "place", 8.475672),
    "product": ("Lake Como", "place", 6.21226),
}
#: runs that were stopped, and the family of each
RUNS = {"run": "recurrent", "run-translate": "translator"}
VERSIONS = sorted(path.name for path in FIXTURES.iterdir())
every_version = pytest.mark.parametrize("version", VERSIONS)


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", BITS)
@every_version
def test_model_of_every_version_loads_and_scores_as_it_did(
    version: str, name: str
) -> None:
    model = load(FIXTURES / version / f"{name}.safetensors")

    assert model.score("the cat").bits == pytest.approx(BITS[name], rel=1e-5)


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", GIVEN_BITS)
@every_version
def test_model_of_labelled_data_of_every_version_scores_as_it_did(
    version: str, name: str
) -> None:
    model = load(FIXTURES / version / f"{name}.safetensors")
    source, output, bits = GIVEN_BITS[name]

    (score,) = model.score_outputs([source], [output])

    assert score.bits == pytest.approx(bits, rel=1e-5)


@pytest.mark.promise("R20")
@pytest.mark.parametrize("name", RUNS)
@every_version
def test_run_of_every_version_goes_on(version: str, name: str, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    shutil.copytree(FIXTURES / version / name, run.path)

    session = session_type(RUNS[name])(run)
    *_, done = session.train(lambda: False)

    assert session.continues
    assert done.kind == "done"


@pytest.mark.promise("R20")
@pytest.mark.parametrize("command", ["sample", "score", "runs verify"])
def test_newer_version_is_refused_by_name(
    command: str, charrnn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(tensor_file, "FORMAT_VERSION", 7)
        save(path, some_model())

    given = [path] if command == "runs verify" else ["the", "-m", path]
    result = charrnn(*command.split(), *given)

    assert result.exit_code == 5
    assert "has format version '7'" in result.stderr
