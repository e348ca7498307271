"""`charrnn bench` on the command line: its options, table and JSON."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from charrnn.bench import inference_speed, training_speed
from charrnn.bench.measurement import Reading
from charrnn.models import CELLS
from charrnn.models.recurrent.config import RecurrentConfig


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[RecurrentConfig]:
    """Give readings at once; return the networks whose training was measured."""
    configs = []

    def infer(config: RecurrentConfig, *, seconds: float) -> Iterator[Reading]:
        yield Reading("start", 0.25, "s")

    def train(config: RecurrentConfig, *, seconds: float) -> Reading:
        configs.append(config)
        name = f"train {config.title}, bf16 x 16"
        return Reading(name, 12_345.6, "tokens/s", 1234.5, 0.456)

    monkeypatch.setattr(inference_speed, "inference_speed", infer)
    monkeypatch.setattr(training_speed, "training_speed", train)
    return configs


def test_the_table_has_speed_products_and_share(charrnn: Any, trained: object) -> None:
    result = charrnn("bench")

    assert result.stdout.splitlines() == [
        "                              speed  unit      GFLOP/s  share %",
        "start                          0.25  s               -        -",
        "train lstm 1x512, bf16 x 16  12,346  tokens/s    1,234       46",
    ]
    assert result.stderr.startswith("machine: ")


def test_the_table_of_all_cells_fits_80_columns(charrnn: Any, trained: object) -> None:
    lines = charrnn("bench", "--all", "-q").stdout.splitlines()

    assert len(lines) == 2 + len(CELLS)
    assert max(map(len, lines)) <= 80


def test_json_is_one_object_with_all_readings(charrnn: Any, trained: object) -> None:
    result = charrnn("bench", "--json", "-q")

    found = json.loads(result.stdout)
    assert found["machine"].keys() == {"processor", "threads", "torch", "numpy"}
    start, train = found["readings"]
    assert (start["name"], start["share"]) == ("start", None)
    assert train == {
        "name": "train lstm 1x512, bf16 x 16",
        "value": 12_345.6,
        "unit": "tokens/s",
        "products_gflops": 1234.5,
        "share": 0.456,
    }
    assert result.stderr == ""


def test_options_choose_the_network(
    charrnn: Any, trained: list[RecurrentConfig]
) -> None:
    charrnn("bench", "--cell", "gru", "--layers", "2", "--hidden", "9")

    assert [one.title for one in trained] == ["gru 2x9"]


def test_all_measures_every_cell_once(
    charrnn: Any, trained: list[RecurrentConfig]
) -> None:
    charrnn("bench", "--all", "--cell", "gru")

    assert trained[0].cell == "gru"
    assert sorted(one.cell for one in trained) == sorted(CELLS)


def test_an_unknown_cell_is_refused(charrnn: Any) -> None:
    result = charrnn("bench", "--cell", "lsmt")

    assert result.exit_code == 2
    assert "--cell is 'lsmt'" in result.stderr
