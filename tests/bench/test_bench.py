"""What bench measures, and what it makes of its readings."""

import contextlib
import os
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from charrnn.bench import measurement, speaking, starting, texts, torch_side
from charrnn.bench.flops import matrices, reading_flop, training_flop
from charrnn.bench.measurement import Measurement, Reading, summarize
from charrnn.bench.plan import Plan
from charrnn.bench.processes import running
from charrnn.bench.tokenizing import tokenize
from charrnn.errors import ResourceError, UsageError
from charrnn.inference.checkpoint import load
from charrnn.models import CELLS
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.tokenizers import TOKENIZERS
from charrnn.training import bench
from charrnn.training.config import TrainConfig

TINY = {"layers": 1, "hidden": 4}
TRAINING = TrainConfig(batch=2, bptt=3)


def plan_of(folder: Path, **shape: Any) -> Plan:
    plan = Plan.of(str(folder), TINY | shape, is_quick=True)
    return Plan(plan.folder, plan.networks, least_s=0.0, rounds=2, visits=1)


def names(found: list[Measurement]) -> list[tuple[str, str]]:
    return [(one.name, one.unit) for one in found]


# --- FLOP


def test_flop_of_a_gru_are_those_of_its_products() -> None:
    network = RecurrentConfig(vocab_size=7, cell="gru", hidden=5, embed=2)

    # three gates of 5 units, from 2 inputs and from 5 units, and 7 scores of 5 units
    assert reading_flop(network) == 2 * (15 * 2 + 15 * 5 + 7 * 5)
    assert training_flop(network) == 6 * (15 * 2 + 15 * 5 + 7 * 5)


def test_a_second_layer_reads_the_first() -> None:
    one = RecurrentConfig(vocab_size=7, cell="lstm", hidden=5, embed=2)
    two = RecurrentConfig(vocab_size=7, cell="lstm", hidden=5, embed=2, layers=2)

    assert reading_flop(two) - reading_flop(one) == 2 * (20 * 5 + 20 * 5)


def test_an_embedding_is_a_product_only_where_it_is_the_output_too() -> None:
    tied = RecurrentConfig(vocab_size=7, cell="mingru", hidden=5, embed=2, tie=True)

    assert list(matrices(tied).values()) == [(7, 2), (10, 2), (2, 5)]
    assert reading_flop(tied) == 2 * (7 * 2 + 10 * 2 + 2 * 5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_bare_step_multiplies_what_is_counted(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = RecurrentConfig(vocab_size=7, cell=cell, hidden=5, embed=2, layers=2)
    multiplied = []

    def note(a: torch.Tensor, b: torch.Tensor, *, out: torch.Tensor) -> None:
        assert out.shape == (a.shape[0], b.shape[1])
        multiplied.append(2 * a.shape[0] * a.shape[1] * b.shape[1])

    step = bench.bare_step(matrices(network), TRAINING)
    monkeypatch.setattr(torch, "mm", note)

    step()

    assert sum(multiplied) == 2 * 3 * training_flop(network)  # batch 2, 3 time steps


def test_only_recurrent_products_go_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = []
    step = bench.bare_step({"layers.0.weight_hh": (4, 4), "x": (4, 4)}, TRAINING)
    monkeypatch.setattr(torch, "mm", lambda a, b, *, out: rows.append(len(a)))

    step()

    # forwards: the batch three times, then all at once; backwards the other way
    # round, with the gradient of each weight (4 rows) at once
    assert rows == [2, 2, 2, 6, 6, 4, 2, 2, 2, 4]


# --- readings


def test_median_and_spread_are_those_of_the_rounds() -> None:
    (found,) = summarize([Reading("a", "s", value) for value in (5.0, 1.0, 2.0)])

    assert (found.median, found.low, found.high) == (2.0, 1.0, 5.0)


def test_a_comparison_is_the_median_of_those_in_each_round() -> None:
    mine = [Reading("mine", "MB/s", value, ("other",)) for value in (1.0, 8.0, 9.0)]
    others = [Reading("other", "MB/s", value) for value in (2.0, 4.0, 3.0)]

    found = summarize([*mine, *others])

    # 1/2, 8/4 and 9/3, where the ratio of the medians would be 8/3
    assert found[0].compared == {"other": 2.0}
    assert found[1].compared == {}


def test_names_of_another_unit_are_other_measurements() -> None:
    found = summarize([Reading("a", "s", 1.0), Reading("a", "MB/s", 2.0)])

    assert names(found) == [("a", "s"), ("a", "MB/s")]


def test_json_has_what_was_measured_and_what_it_is_compared_with() -> None:
    found = Measurement("a", "s", (1.0, 3.0), {"b": 0.5})

    assert found.to_json() == {
        "name": "a",
        "unit": "s",
        "median": 2.0,
        "low": 1.0,
        "high": 3.0,
        "rounds": 2,
        "compared": {"b": 0.5},
    }


def test_a_rate_is_all_that_was_done_by_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 11.0, 12.5])
    monkeypatch.setattr(measurement, "perf_counter", lambda: next(clock))

    # two runs of 5 in 2.5 seconds, for one takes less than the two that are asked for
    assert measurement.rate(lambda: 5.0, 2.0) == 4.0


# --- plans


def test_a_full_plan_has_every_cell_and_four_sizes() -> None:
    found = [network.title for network in Plan.of("x", {}).networks]

    usual = RecurrentConfig(65).cell
    sizes = [f"{usual} {size}" for size in ("1x128", "1x256", "2x512")]
    assert sorted(found) == sorted([*sizes, *(f"{cell} 1x512" for cell in CELLS)])
    assert found[0] == f"{usual} 1x512"


def test_a_shape_is_measured_alone() -> None:
    (network,) = Plan.of("x", {"cell": "lstm", "hidden": 384}).networks

    assert network.title == "lstm 1x384"


def test_a_shape_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="--hidden is 0"):
        Plan.of("x", {"hidden": 0})


def test_visits_share_the_rounds() -> None:
    plan = Plan.of("x", {})

    assert plan.visits * plan.visit().rounds == plan.rounds


# --- measurers


def test_made_up_texts_have_the_vocabulary_of_the_plan(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    store = texts.random_store(tmp_path, 500)

    assert store.vocab_size == plan.network.vocab_size == 65


def test_the_model_never_ends_a_text(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    texts.write_model(plan)

    (sample,) = load(plan.model).sample(seed=1)
    assert sample.finish == "length"


def test_training_is_compared_with_products_and_with_the_gru(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_side, "SQUARE", 8)
    monkeypatch.setattr(torch_side, "STORE_CHARACTERS", 5000)
    monkeypatch.setattr(torch_side, "USUAL", (1, 4))
    networks = tuple(
        RecurrentConfig(65, cell=cell, hidden=4) for cell in ("gru", "elman")
    )
    plan = Plan(str(tmp_path), networks, least_s=0.0, rounds=2)

    found = summarize(torch_side.train(plan))

    speed, share = found[-2:]
    alone = "elman 1x4, products alone"
    assert names(found[-3:]) == [
        (alone, "GFLOP/s"),
        ("elman 1x4", "tokens/s"),
        ("elman 1x4", "GFLOP/s"),
    ]
    assert list(speed.compared) == ["gru 1x4"]
    assert len(share.compared) == 2
    assert alone in share.compared
    assert share.median == pytest.approx(
        speed.median * training_flop(networks[1]) / 1e9
    )


def test_sampling_is_compared_with_the_loop_in_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "STREAMS", {1: 4, 3: 2})
    monkeypatch.setattr(torch_side, "STREAMS", {1: 10, 3: 10})
    plan = plan_of(tmp_path, cell="lstm")
    texts.write_model(plan)
    readings = [*speaking.sample(plan, load(plan.model)), *torch_side.loop(plan)]

    found = summarize(readings)

    assert [one.name for one in found[:2]] == ["lstm 1x4, 1 text", "lstm 1x4, 3 texts"]
    assert list(found[1].compared) == ["torch loop, nn.LSTM, 3 texts"]


def test_scoring_is_a_share_of_what_numpy_multiplies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "SQUARE", 8)
    monkeypatch.setattr(speaking, "SENTENCES", 3)
    plan = plan_of(tmp_path)
    texts.write_model(plan)
    readings = [*speaking.score(plan, load(plan.model)), *speaking.product(plan)]

    sentences, characters, share, product = summarize(readings)

    assert characters.median == pytest.approx(100 * sentences.median)
    assert list(share.compared) == [product.name]


def test_every_level_encodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.bench.tokenizing.WORDS", 100)
    monkeypatch.setattr("charrnn.bench.tokenizing.LEARNED_WORDS", 2000)

    found = summarize(tokenize(plan_of(tmp_path)))

    assert names(found) == [(level, "MB/s") for level in TOKENIZERS]


def test_the_first_character_comes_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path)
    texts.write_model(plan)
    monkeypatch.setattr(starting, "TORCH", ("-c", "print()"))  # torch takes seconds

    found = list(islice(starting.start(plan), 5))

    first, whole = found[2:4]
    assert 0 < first.value <= whole.value
    assert [one.name.split()[0] for one in found] == ["import", *["charrnn"] * 4]


# --- processes


def test_a_process_that_fails_is_said() -> None:
    with (
        pytest.raises(ResourceError, match="ended with 3"),
        running(("-c", "raise SystemExit(3)")),
    ):
        pass


def test_no_process_is_left_behind_when_interrupted() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"

    with contextlib.suppress(KeyboardInterrupt), running(("-c", code)) as stdout:
        number = int(stdout.readline())
        raise KeyboardInterrupt

    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
