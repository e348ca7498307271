"""`charrnn bench` on the command line: its arguments, table, JSON and ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from charrnn.bench.measurement import Reading
from charrnn.bench.plan import Plan
from charrnn.cli import bench_parts
from charrnn.errors import ModelFileError

MACHINE = {"cores": 2, "device": "cpu", "precision": "bf16", "why": "it can"}
READINGS = [
    Reading("slow", "MB/s", 10.0),
    Reading("fast", "MB/s", 1200.0, ("slow",)),
    Reading("slow", "MB/s", 20.0),
    Reading("fast", "MB/s", 1400.0, ("slow",)),
]
PLAIN = [Reading("half", "s", 0.25, ("whole",)), Reading("whole", "s", 0.5)]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Plan]]:
    """Give readings at once; return the parts that are asked for."""
    asked = []

    def readings(part: str, plan: Plan) -> list[Reading]:
        asked.append((part, plan))
        return READINGS if part == "tokenize" else PLAIN

    monkeypatch.setattr(bench_parts, "readings", readings)
    monkeypatch.setattr(bench_parts, "machine", lambda plan: MACHINE)
    return asked


def test_the_table_has_median_spread_and_comparison(
    charrnn: Any, measured: object
) -> None:
    lines = charrnn("bench", "tokenize", "-q").stdout.splitlines()

    assert [line.split()[0] for line in lines[:3]] == [
        "machine",
        "programs",
        "training",
    ]
    assert lines[2] == "training  bf16 on cpu: it can"
    assert lines[3:] == [
        "",
        "tokenize  median    low   high  unit  compared",
        "slow        15.0   10.0   20.0  MB/s",
        # 1,200 / 10 and 1,400 / 20
        "fast       1,300  1,200  1,400  MB/s  95.0 times slow",
    ]


def test_what_is_less_is_a_share(charrnn: Any, measured: object) -> None:
    lines = charrnn("bench", "start", "-q").stdout.splitlines()

    assert lines[-2].split()[-3:] == ["50%", "of", "whole"]


def test_json_has_a_line_for_the_machine_and_one_a_measurement(
    charrnn: Any, measured: object
) -> None:
    result = charrnn("bench", "tokenize", "--json", "-q")

    machine, slow, fast = map(json.loads, result.stdout.splitlines())
    assert machine["part"] == "machine"
    assert machine.items() >= MACHINE.items()
    assert machine.keys() >= {"processor", "load", "charrnn", "torch", "numpy"}
    assert list(slow) == [
        "part",
        "name",
        "unit",
        "median",
        "low",
        "high",
        "rounds",
        "compared",
    ]
    assert (fast["part"], fast["name"], fast["rounds"]) == ("tokenize", "fast", 2)
    assert fast["compared"] == {"slow": 95.0}


def test_without_a_part_all_are_measured_once(
    charrnn: Any, measured: list[Any]
) -> None:
    charrnn("bench")

    parts = ["train", "sample", "score", "tokenize", "start"]
    assert [part for part, _ in measured] == parts


def test_parts_are_measured_in_their_order(charrnn: Any, measured: list[Any]) -> None:
    charrnn("bench", "start", "train", "start")

    assert [part for part, _ in measured] == ["train", "start"]


def test_options_choose_the_network(charrnn: Any, measured: list[Any]) -> None:
    charrnn("bench", "train", "--cell", "lstm", "--layers", "2", "--hidden", "9")

    ((_, plan),) = measured
    (network,) = plan.networks
    assert (network.cell, network.layers, network.hidden) == ("lstm", 2, 9)


def test_rounds_are_said_unless_quiet(charrnn: Any, measured: object) -> None:
    said = charrnn("bench", "tokenize").stderr

    assert "tokenize: round 2 of 6\n" in said
    assert charrnn("bench", "tokenize", "-q").stderr == ""


def test_a_mistyped_part_is_guessed(charrnn: Any) -> None:
    result = charrnn("bench", "trian")

    assert result.exit_code == 2
    assert "is 'trian'" in result.stderr
    assert "hint: did you mean train?" in result.stderr


def test_a_part_is_measured_in_processes_of_its_own(tmp_path: Path) -> None:
    plan = Plan.of(str(tmp_path), {"hidden": 4}, is_quick=True)
    plan = Plan(plan.folder, plan.networks, least_s=0.0, rounds=1, visits=1)

    found = list(bench_parts.readings("score", plan))

    assert [one.unit for one in found] == [
        "sentences/s",
        "characters/s",
        "GFLOP/s",
        "GFLOP/s",
    ]
    assert found[2].against == (found[3].name,)


def test_an_error_in_a_process_comes_out_of_it(tmp_path: Path) -> None:
    plan = Plan.of(str(tmp_path), {"hidden": 4}, is_quick=True)
    plan.model.write_bytes(b"no model")

    with pytest.raises(ModelFileError, match="is not a model file"):
        list(bench_parts.readings("score", plan))


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "charrnn", "bench", "train", "--quick"]
    env = dict(os.environ) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as child:
        assert child.stderr is not None
        assert child.stderr.readline()  # what it says first, its folder made

        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=20)

    assert child.returncode == 130
    assert b"Traceback" not in stderr
    assert not list(tmp_path.iterdir())
