"""The options of `charrnn train`: from the command line and from a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.training import TEXTS


@pytest.fixture(autouse=True)
def corpus(bare_setting: Path) -> None:
    Path("prose.txt").write_text(TEXTS["file"])


@pytest.fixture
def plan(charrnn: Any) -> Any:
    """Return what would be trained with some options, and with those of a file."""

    def ask(*args: str, file: str = "") -> dict[str, Any]:
        result = with_file(
            charrnn, file, *args, "--threads", "1", "--dry-run", "--json"
        )
        assert result.exit_code == 0, result.stderr
        found: dict[str, Any] = json.loads(result.stdout)
        return found["model"] | found["training"] | {"level": found["level"]}

    return ask


def with_file(charrnn: Any, file: str, *args: str) -> Any:
    """Run the command with a configuration file."""
    Path("plan.toml").write_text(file)
    return charrnn("train", "prose.txt", "--config", "plan.toml", *args)


# --- values that make no sense


@pytest.mark.parametrize(
    "given",
    [
        "--steps 0",
        "--steps -1",
        "--steps x",
        "--epochs 0",
        "--epochs inf",
        "--epochs nan",
        "--time 5",
        "--time 0s",
        "--time soon",
        "--hidden 0",
        "--layers 0",
        "--embed -1",
        "--dropout 1",
        "--dropout nan",
        "--cell gruu",
        "--level chars",
        "--vocab-size -1",
        "--min-count 0",
        "--subword x",
        "--valid-frac 0",
        "--valid-frac 1",
        "--lr 0",
        "--lr nan",
        "--schedule x",
        "--batch 0",
        "--bptt 0",
        "--bptt 99999999999999999999",
        "--clip 0",
        "--weight-decay -1",
        "--patience -1",
        "--seed -1",
        "--seed 99999999999",
        "--device toaster",
        "--device meta",
        "--precision fp8",
        "--threads 0",
        "--save-every 0s",
        "--save-every often",
    ],
)
def test_value_that_makes_no_sense_is_refused_by_the_name_of_its_option(
    given: str, charrnn: Any
) -> None:
    result = charrnn("train", "prose.txt", *given.split())

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {given.split()[0]}")
    assert not Path("runs").exists()


def test_two_budgets_are_refused(charrnn: Any) -> None:
    result = charrnn("train", "prose.txt", "--steps", "5", "--time", "5m")

    assert result.exit_code == 2
    assert "more than one of --time, --epochs and --steps" in result.stderr


def test_tie_without_an_embedding_is_refused(charrnn: Any) -> None:
    result = charrnn("train", "prose.txt", "--tie", "--embed", "0")

    assert result.exit_code == 2
    assert "--tie needs an embedding" in result.stderr


# --- a file of options


def test_options_of_a_file_count_as_typed(plan: Any) -> None:
    file = """
        hidden = 12
        level = "byte"
        learned-state = true
        time = "7m"
        lr = 0.5
        weight_decay = 1
    """

    found = plan(file=file)

    wanted = {"hidden": 12, "level": "byte", "learned_state": True, "time_s": 420}
    assert wanted.items() <= found.items()
    assert (found["lr"], found["weight_decay"]) == (0.5, 1)


def test_command_line_wins_over_the_file(plan: Any) -> None:
    found = plan("--hidden", "13", "--no-norm", file="hidden = 12\nnorm = true\n")

    assert found["hidden"] == 13
    assert found["norm"] is False


def test_what_neither_says_is_chosen(plan: Any) -> None:
    assert plan(file="") == plan("--cell", "lstm")


def test_folder_and_validation_text_can_stand_in_the_file(charrnn: Any) -> None:
    Path("valid").write_text("a night of rain")
    file = 'out = "here"\nvalid = ["valid"]\nsteps = 1\nhidden = 8\nthreads = 1'

    result = with_file(charrnn, file, "--json")

    assert Path("here/model.safetensors").exists()
    lines = map(json.loads, result.stdout.splitlines())
    assert [x["tokens"] for x in lines if x["event"] == "validation"] == [15]


@pytest.mark.parametrize(
    "file", ["hiden = 8", "json = true", "config = 'x'", "dry_run = true", "[a]\nb = 1"]
)
def test_name_that_is_no_option_of_a_file_is_refused(file: str, charrnn: Any) -> None:
    result = with_file(charrnn, file)

    assert result.exit_code == 2
    assert "--config plan.toml: no option" in result.stderr


def test_control_characters_in_a_name_in_a_file_are_spelled_out(charrnn: Any) -> None:
    result = with_file(charrnn, '"hid\\u001b[2J\\nden" = 8')

    assert "no option 'hid\\x1b[2J\\nden' exists" in result.stderr


@pytest.mark.parametrize(
    "given",
    [
        'hidden = "many"',
        "hidden = 8.5",
        "hidden = true",
        "hidden = [8]",
        "hidden = {x = 1}",
        "cell = 3",
        "lr = 'fast'",
        "tie = 'perhaps'",
        "level = ''",
        "seed = -1",
        "threads = 0",
        "steps = 0",
        "dropout = inf",
    ],
)
def test_value_of_a_file_that_makes_no_sense_is_refused(
    given: str, charrnn: Any
) -> None:
    result = with_file(charrnn, given)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: --{given.split()[0]}")


def test_file_that_is_not_toml_is_said(charrnn: Any) -> None:
    result = with_file(charrnn, "hidden 8")

    assert result.exit_code == 4
    assert "--config plan.toml is not TOML" in result.stderr


def test_file_that_is_missing_is_said(charrnn: Any) -> None:
    result = charrnn("train", "prose.txt", "--config", "nothing.toml")

    assert result.exit_code == 3
    assert "--config nothing.toml: No such file" in result.stderr


def test_number_that_is_too_long_is_reported(charrnn: Any) -> None:
    result = with_file(charrnn, f"hidden = 1{'0' * 5000}")

    assert result.exit_code == 4
    assert "is not TOML" in result.stderr


@pytest.mark.parametrize("name", ["init-from", "config", "out", "tokenizer"])
def test_option_that_is_empty_is_refused(name: str, charrnn: Any) -> None:
    result = charrnn("train", "prose.txt", f"--{name}", "")

    assert result.exit_code == 2
    assert f"--{name} is empty" in result.stderr
