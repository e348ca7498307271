"""`charrnn compare` with labelled data."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.conditional import (
    EXAMPLES,
    FORMAT,
    save_conditional,
    write_labelled,
    write_tsv,
)

from charrnn.reports import ladder_plot

HEADLINE = {"classify": "accuracy", "tag": "tag_accuracy", "translate": "exact"}
NAMES = [(f"{name}{k}", name[-2:]) for k in range(9) for name in ("Olsen", "Rossi")]

every_task = pytest.mark.parametrize("task", EXAMPLES)


def compared(charrnn: Any, *args: Any) -> dict[str, Any]:
    result = charrnn("compare", *args, "--json")
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


@pytest.fixture
def bayes_run(charrnn: Any) -> str:
    """A classifier that counts, trained on the names."""
    write_tsv("names.tsv", NAMES)
    args = ("--task", "classify", "--family", "bayes", "-q", "-o", "runs/bayes-001")
    result = charrnn("train", "names.tsv", *args)
    assert result.exit_code == 0, result.stderr
    return "runs/bayes-001"


@every_task
def test_models_are_ranked_by_their_headline_figure(charrnn: Any, task: str) -> None:
    folders = [save_conditional(task, f"m-{seed}", seed=seed) for seed in (8, 5, 2)]
    (found, *_), path = _perfect(charrnn, task, folders[1]), f"best.{FORMAT[task]}"

    record = compared(charrnn, *folders, "-f", path)

    key = HEADLINE[task]
    values = [model[key] for model in record["models"]]
    assert values == sorted(values, reverse=True)
    assert values[0] == 1
    best, *others = record["models"]
    assert best["model"] == folders[1]
    assert (best["best"], best["difference"], best["real"]) == (True, None, None)
    for one in others:
        assert one["difference"] == pytest.approx(one[key] - 1)
        assert one["low"] <= one["difference"] <= one["high"]
    assert record["data"]["examples"] == len(EXAMPLES[task])
    assert found == path


def _perfect(charrnn: Any, task: str, folder: str) -> tuple[str]:
    """Write data that one model predicts exactly; return the path."""
    path = write_labelled(task, EXAMPLES[task])
    out = f"best.{FORMAT[task]}"
    charrnn("predict", "-m", folder, "-f", path, "-o", out)
    return (out,)


def test_model_is_not_really_different_from_itself(charrnn: Any) -> None:
    folder = save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    _, second = compared(charrnn, folder, folder, "-f", path)["models"]

    assert second["difference"] == second["low"] == second["high"] == 0
    assert second["real"] is False


@every_task
def test_tables_show_figures_with_intervals(charrnn: Any, task: str) -> None:
    folders = [save_conditional(task, f"m-{seed}", seed=seed) for seed in (8, 2)]
    path = write_labelled(task, EXAMPLES[task])

    result = charrnn("compare", *folders, "-f", path)

    heading, first, second, gap, *rest = result.stdout.splitlines()
    assert heading.startswith("model")
    assert " best" in first
    assert second.split()[-1] in ("yes", "no")
    assert gap == ""
    assert len(rest) == 3
    assert max(map(len, result.stdout.splitlines())) <= 130


def test_validation_part_of_the_first_run_is_the_default(
    charrnn: Any, bayes_run: str
) -> None:
    record = compared(charrnn, bayes_run)

    assert record["data"]["name"] == f"the validation part of {bayes_run}"
    info = json.loads(Path(bayes_run, "run.json").read_text())
    assert record["data"]["examples"] == info["best"]["examples"]
    assert record["models"][0]["accuracy"] == info["best"]["accuracy"]


def test_baseline_counts_the_training_part(charrnn: Any, bayes_run: str) -> None:
    record = compared(charrnn, bayes_run, "--baselines")

    network, counts = record["models"]
    assert counts["model"] == "naive Bayes"
    assert counts["accuracy"] == network["accuracy"]
    assert counts["difference"] == 0


def test_data_that_has_changed_is_refused(charrnn: Any, bayes_run: str) -> None:
    write_tsv("names.tsv", [*NAMES, ("Verdi", "si")])

    result = charrnn("compare", bayes_run)

    assert result.exit_code == 4
    assert "has changed" in result.stderr


@pytest.mark.parametrize("order", [1, -1])
def test_models_of_different_tasks_are_refused(
    charrnn: Any, char_run: Path, order: int
) -> None:
    folders = [str(char_run), save_conditional("classify")][::order]

    result = charrnn("compare", *folders)

    assert result.exit_code == 2
    assert "different tasks" in result.stderr


def test_model_without_a_run_needs_a_file(charrnn: Any) -> None:
    folder = save_conditional("classify")
    Path(folder, "model.safetensors").rename("alone.safetensors")

    result = charrnn("compare", "alone.safetensors")

    assert result.exit_code == 3
    assert "-f FILE" in result.stderr


@pytest.mark.parametrize("option", [("--plot", "a.svg"), ("--documents", "line")])
def test_options_of_language_models_are_refused(
    charrnn: Any, option: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # without matplotlib, --plot would be refused for another reason
    monkeypatch.setattr(ladder_plot, "check", lambda path: None)
    folder = save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    result = charrnn("compare", folder, "-f", path, *option)

    assert result.exit_code == 2
    assert option[0] in result.stderr
