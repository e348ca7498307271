"""Model files from untrusted places: damaged or hostile."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.audit import CHANGING, NETWORK, RUNNING, changed_paths, noted, of_kind
from support.families import MODELS, model_of
from support.hostile import BYTES, ROWS, make
from support.levels import cases
from support.models import random_text_model
from support.parts import peak_bytes

from charrnn.errors import CharRNNError, ModelFileError
from charrnn.inference.checkpoint import load, save

Mutator = Callable[[bytes, bytes, random.Random], bytes]


# --- damaged


def flip(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def cut_in_header(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(8 + int.from_bytes(data[:8], "little"))]


def zero(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(data)), chance.randrange(1, 600)
    return data[:at] + bytes(len(data[at : at + size])) + data[at + size :]


def extend(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.randrange(1, 100))


def insert(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]


def swap(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + other[at:]


def overwrite(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(data)), chance.randrange(1, 60)
    return data[:at] + chance.randbytes(len(data[at : at + size])) + data[at + size :]


MUTATORS: tuple[Mutator, ...] = (
    flip, cut, cut_in_header, zero, extend, insert, swap, overwrite
)  # fmt: skip


def mutants(path: Path, count: int) -> Iterator[bytes]:
    """Yield damaged versions of a file, all different from the file."""
    data, chance = path.read_bytes(), random.Random(count)
    other = bytearray(data)
    other[-64:] = chance.randbytes(64)
    while count:
        mutant = chance.choice(MUTATORS)(data, bytes(other), chance)
        if mutant != data:
            count -= 1
            yield mutant


@pytest.mark.promise("R6")
@pytest.mark.parametrize("family", MODELS)
def test_damaged_file_is_refused_at_once_with_a_way_out(
    family: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save(path, model_of(family))

    for mutant in mutants(path, cases(40, 1200)):
        path.write_bytes(mutant)
        began = time.process_time()
        with pytest.raises(ModelFileError) as caught:
            load(path)

        assert time.process_time() - began < 1
        assert str(path) in caught.value.message
        assert caught.value.hint


def loading_bytes(path: Path) -> int:
    """Return the peak memory of loading a file, even if loading fails."""

    def work() -> None:
        with suppress(CharRNNError):
            load(path)

    return peak_bytes(work)


@pytest.mark.promise("R6")
def test_damaged_file_takes_no_more_memory_than_twice_its_size(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, random_text_model(["the cat\n"], hidden=256, embed=64))
    assert path.stat().st_size > 1_000_000

    for mutant in mutants(path, cases(30, 500)):
        path.write_bytes(mutant)

        assert loading_bytes(path) < 2 * len(mutant) + 100_000


@pytest.mark.promise("R6")
def test_damaged_model_of_a_run_points_to_the_other_models(
    char_run: Path, charrnn: Any
) -> None:
    with (char_run / "model.safetensors").open("r+b") as file:
        file.truncate(1000)

    result = charrnn("score", "the fox", "-m", char_run)

    assert result.exit_code == 5
    assert "use another model: `charrnn runs verify` lists intact ones" in result.stderr


# --- hostile


@pytest.fixture(scope="module")
def _imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load a model of every kind, so that all modules are imported."""
    path = tmp_path_factory.mktemp("good") / "model.safetensors"
    for family in MODELS:
        save(path, model_of(family))
        load(path)
    text = "a good deal of text to learn pieces from, a good deal. " * 20
    save(path, random_text_model([text], level="subword"))
    load(path).score("text")


@pytest.mark.promise("R7")
@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("row", ROWS)
def test_hostile_file_is_refused_and_runs_nothing(row: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    make(row, path)
    before = {*tmp_path.iterdir()}

    began = time.process_time()
    with noted() as events, pytest.raises(CharRNNError) as caught:
        load(path)

    assert time.process_time() - began < 1
    assert caught.value.exit_code in (5, 6)
    assert len(caught.value.message) < 300
    assert not of_kind(events, RUNNING + NETWORK + CHANGING)
    assert not changed_paths(events)
    assert {*tmp_path.iterdir()} == before


@pytest.mark.promise("R7")
def test_hostile_file_takes_little_memory(tmp_path: Path) -> None:
    rows = random.Random(0).sample([*BYTES], cases(2, len(BYTES)))
    for number, row in enumerate(rows):
        path = tmp_path / str(number)
        make(row, path)

        # parsing creates at most two million numbers
        assert loading_bytes(path) < 2 * path.stat().st_size + (64 << 20), row


@pytest.mark.promise("R7")
def test_small_file_of_many_units_takes_little_memory(tmp_path: Path) -> None:
    # a minGRU has no hidden-by-hidden matrix; a table of all tokens would take 0.6 GB
    tokens = [chr(0x4E00 + k) for k in range(4000)]
    shape: dict[str, Any] = {"cell": "mingru", "hidden": 20_000, "embed": 1}
    path = tmp_path / "model.safetensors"
    save(path, random_text_model(tokens, tie=True, **shape))
    assert path.stat().st_size < 1_000_000

    assert loading_bytes(path) < 64 << 20


@pytest.mark.promise("R7")
@pytest.mark.parametrize(
    "command", ["sample", "score", "predict", "compare", "runs verify", "train"]
)
def test_every_command_refuses_a_hostile_file(
    command: str, charrnn: Any, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("the cat sat on the mat. " * 40)
    chance = random.Random(command)
    files = [row for row in ROWS if row not in ("folder", "socket")]
    for number, row in enumerate(chance.sample(files, cases(2, len(files)))):
        path = tmp_path / f"{number}.safetensors"
        make(row, path)
        given = {
            "sample": ["sample", "-m", path, "--length", "3"],
            "score": ["score", "the", "-m", path],
            "predict": ["predict", "the", "-m", path],
            "compare": ["compare", path, "-f", "text.txt"],
            "runs verify": ["runs", "verify", path],
            "train": ["train", "text.txt", "--init-from", path, "--steps", "2"],
        }

        result = charrnn(*given[command])

        assert result.exit_code in (3, 5, 6), row
        assert len(result.stderr.splitlines()) <= 6
        assert not (tmp_path / "executed").exists()
