"""`charrnn runs`: the list, one run, damaged files."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import random_model, save_run

from charrnn.cli import console


def damage(path: Path) -> None:
    """Flip one bit near the end of a file."""
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)


def add_metrics(run: Path) -> None:
    """Add the events of a short training, the last line half written."""
    rates = ((10, 3.5), (20, 2.5), (30, 2.75))
    events = [
        {"event": "validation", "step": step, "bits_per_char": rate}
        for step, rate in rates
    ]
    events.append({"event": "step", "step": 1040})
    lines = [json.dumps(event) for event in events]
    (run / "metrics.jsonl").write_text("\n".join([*lines, '{"event": "val']))


def test_list_has_step_validation_size_and_age(charrnn: Any, char_run: Path) -> None:
    add_metrics(char_run)
    for path in char_run.iterdir():
        os.utime(path, (time.time() - 600,) * 2)

    result = charrnn("runs")

    size = console.size((char_run / "model.safetensors").stat().st_size)
    row = ["runs/names-001", "1,040", "2.500", "finished", *size.split(), "10", "min"]
    assert result.stdout.split() == row


def test_json_list_has_these_keys(charrnn: Any, char_run: Path) -> None:
    save_run(random_model(), "other-001")

    found = [json.loads(line) for line in charrnn("runs", "--json").stdout.splitlines()]

    assert [one["run"] for one in found] == ["runs/names-001", "runs/other-001"]
    assert list(found[0]) == [
        *("run", "step", "bits_per_char", "status", "model_bytes", "folder_bytes"),
        "age_s",
    ]
    assert (found[0]["step"], found[0]["bits_per_char"]) == (None, None)


def test_empty_list_suggests_training(charrnn: Any) -> None:
    result = charrnn("runs")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "charrnn train" in result.stderr


def test_environment_variable_selects_the_runs_folder(
    charrnn: Any, char_run: Path
) -> None:
    Path("runs").rename("elsewhere")

    result = charrnn("runs", env={"CHARRNN_RUNS": "elsewhere"})

    assert result.stdout.startswith("elsewhere/names-001")


def test_run_is_shown_by_name_by_folder_or_as_the_newest(
    charrnn: Any, char_run: Path
) -> None:
    shown = {
        charrnn("runs", "show", *name, "--json").stdout.partition('"age_s"')[0]
        for name in ([], ["names-001"], ["runs/names-001"])
    }

    assert len(shown) == 1
    assert "status                       finished" in charrnn("runs", "show").stdout


def test_verify_finds_the_damaged_file(charrnn: Any, char_run: Path) -> None:
    assert charrnn("runs", "verify").exit_code == 0
    other = save_run(random_model(), "other-001")
    damage(other / "model.safetensors")

    result = charrnn("runs", "verify")

    assert result.exit_code == 5
    assert result.stdout.splitlines() == [
        "ok       runs/names-001/model.safetensors",
        "damaged  runs/other-001/model.safetensors",
    ]
    assert "SHA-256" in result.stderr
    assert charrnn("runs", "verify", "names-001").exit_code == 0
    assert charrnn("runs", "verify", "other-001", "--json").exit_code == 5


def test_damaged_description_is_listed_as_damaged(charrnn: Any, char_run: Path) -> None:
    (char_run / "run.json").write_text("{")

    assert "damaged" in charrnn("runs").stdout


@pytest.mark.parametrize("step", ["Infinity", "1e999", "NaN", "[" * 100_000, "null"])
def test_damaged_metrics_line_is_skipped(
    charrnn: Any, char_run: Path, step: str
) -> None:
    add_metrics(char_run)
    with (char_run / "metrics.jsonl").open("a") as metrics:
        metrics.write(f'\n{{"event": "step", "step": {step}}}\n')

    assert charrnn("runs").stdout.split()[:3] == ["runs/names-001", "1,040", "2.500"]


def test_verify_without_runs_exits_with_not_found(charrnn: Any) -> None:
    assert charrnn("runs", "verify").exit_code == 3
    Path("runs/empty-001").mkdir(parents=True)
    assert charrnn("runs", "verify", "empty-001").exit_code == 3


def test_folder_without_a_run_is_not_shown(charrnn: Any, char_run: Path) -> None:
    Path("plain").mkdir()

    for name in ("plain", ""):
        result = charrnn("runs", "show", name)

        assert result.exit_code == 3
        assert f"no run {name}" in result.stderr


def test_model_may_have_any_name(charrnn: Any, char_run: Path) -> None:
    (char_run / "model.safetensors").rename("resumed-novel.safetensors")

    assert charrnn("runs", "verify", "resumed-novel.safetensors").exit_code == 0
