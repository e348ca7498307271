"""The command line as a whole: help, errors, exit codes, outputs that fail."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import random_model, save_run
from support.conditional import EXAMPLES, save_conditional

from charrnn.cli import console
from charrnn.cli.app import app
from charrnn.errors import UsageError
from charrnn.fields import parse_duration

COMMANDS = (
    "train", "tokenize", "sample", "score", "predict", "compare", "mix", "bench", "runs"
)  # fmt: skip
HEAVY = {"numpy", "torch", "rich", "safetensors", "sentencepiece", "pydantic"}


def imported_by(*args: str) -> set[str]:
    """Return the heavy modules that a command imports."""
    code = (
        "import sys\nfrom charrnn.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('MODULES', *sys.modules)"
    )
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    modules = done.stdout.rpartition("MODULES")[2].split()
    assert "typer" in modules, done.stderr
    return HEAVY & set(modules)


def test_help_imports_nothing_heavy() -> None:
    assert imported_by("--help") == set()
    assert not imported_by("sample", "--help")


def test_no_model_is_said_before_numpy_is_imported() -> None:
    assert not imported_by("sample")


@pytest.mark.parametrize("command", ["sample", "score", "predict"])
def test_char_models_need_neither_torch_nor_sentencepiece_nor_rich(
    char_run: Path, command: str
) -> None:
    found = imported_by(command, "the fox")

    assert found == {"numpy"}


@pytest.mark.parametrize("task", EXAMPLES)
def test_predictions_need_numpy_only(task: str) -> None:
    save_conditional(task)

    assert imported_by("predict", "a") == {"numpy"}


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *COMMANDS, "runs show", "runs verify"])
def test_every_help_opens_with_an_example(
    charrnn: Any, command: str, flag: str
) -> None:
    result = charrnn(*command.split(), flag)

    assert result.exit_code == 0
    first = result.stdout.split("\n\n")[2]
    assert first.startswith(f"      charrnn {command}".rstrip())


def test_help_of_every_option_says_what_it_does() -> None:
    group = typer.main.get_command(app)
    for name in COMMANDS:
        for parameter in group.commands[name].params:  # type: ignore[attr-defined]
            assert parameter.help, f"{name} {parameter.name}"


def test_commands_are_listed_in_the_order_of_use(charrnn: Any) -> None:
    listed = charrnn("-h").stdout.partition("Learn:\n")[2]

    assert re.findall(r"^  (\w+)", listed, re.M) == list(COMMANDS)


def test_no_arguments_is_help(charrnn: Any) -> None:
    result = charrnn()

    assert result.exit_code == 0
    assert result.stdout == charrnn("--help").stdout


def test_version_is_said(charrnn: Any) -> None:
    assert re.fullmatch(r"charrnn \d+\.\d+\.\d+\n", charrnn("--version").stdout)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["smaple"], "did you mean 'sample'?"),
        (["sample", "--temprature", "1"], "did you mean --temp or --temperature?"),
        (["tokenize", "--level", "chr"], "did you mean char?"),
        (["score", "--unit", "bit", "x"], "did you mean bits?"),
        (["--vresion"], "did you mean --version?"),
    ],
)
def test_mistyped_words_are_guessed(charrnn: Any, args: list[str], hint: str) -> None:
    result = charrnn(*args)

    assert result.exit_code == 2
    assert f"hint: {hint}" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["sample", "--temp", "hot"], 2, "--temp: 'hot' is not a valid float"),
        (["sample", "--temp", "-1"], 2, "--temp is -1.0, below 0"),
        (["sample", "--top-p", "2"], 2, "--top-p is 2.0, not in (0, 1]"),
        (["sample", "--seed", "-1"], 2, "--seed is -1, below 0"),
        (["tokenize", "x", "-o", ""], 2, "--out is empty"),
        (["mix", "a", "b", "-o", ""], 2, "--out is empty"),
        (["mix", "a", "b"], 2, "missing option --out"),
        (["compare", "--plot", ""], 2, "--plot is empty"),
        (["sample", "--prompt-file", ""], 2, "--prompt-file is empty"),
        (["tokenize", "--as", "words"], 2, "--as is 'words'"),
        (["sample", "a", "-p", "b"], 2, "PROMPT and --prompt are given"),
        (["score", "x", "--plain", "--sort"], 2, "--plain writes numbers"),
        (["score", "x", "--top", "2", "--per", "total"], 2, "--top shows parts"),
        (["sample"], 3, "no model yet in runs/"),
        (["sample", "-m", "gone"], 3, "the model gone does not exist"),
        (["tokenize", "gone.txt"], 3, "gone.txt does not exist"),
        (["runs", "show", "gone"], 3, "no run gone"),
        (["tokenize", "--encode", "--decode", "x"], 2, "use --encode or --decode"),
    ],
)
def test_errors_say_what_and_exit_with_their_code(
    charrnn: Any, args: list[str], code: int, message: str
) -> None:
    result = charrnn(*args)

    assert result.exit_code == code
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) <= 6
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "code", "name"),
    [(["sample"], 3, "not-found"), (["score", "--nets"], 2, "usage")],
)
def test_json_errors_are_on_both_channels(
    charrnn: Any, args: list[str], code: int, name: str
) -> None:
    result = charrnn(*args, "--json")

    error = json.loads(result.stdout)["error"]
    assert list(error) == ["code", "name", "message", "hint"]
    assert (error["code"], error["name"]) == (result.exit_code, name) == (code, name)
    assert error["message"] in result.stderr


def test_a_text_of_dashes_json_is_no_option(charrnn: Any) -> None:
    assert charrnn("score", "--", "--json").stdout == ""


def test_too_little_memory_is_an_error_and_no_traceback(
    charrnn: Any, char_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("charrnn.inference.checkpoint.load", fail)

    result = charrnn("score", "x")

    assert result.exit_code == 6
    assert "not enough memory" in result.stderr


@pytest.mark.promise("R17")
@pytest.mark.parametrize(
    "args",
    [["--help"], ["sample"], ["score", "x"], ["score", "x", "--json"], ["runs"]],
    ids=" ".join,
)
def test_a_full_disk_exits_6(process: Any, char_run: Path, args: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = process(*args, stdout=full)

    assert done.returncode == 6
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.promise("R17")
@pytest.mark.parametrize("args", [["sample", "-l", "9999"], ["sample", "--help"]])
def test_a_reader_who_goes_away_is_no_error(char_run: Path, args: list[str]) -> None:
    save_run(random_model(learned_end=False, hidden=8), "b")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "charrnn", *args]

    done = subprocess.run(
        command, stdout=writer, stderr=subprocess.PIPE, timeout=30, check=False
    )

    os.close(writer)
    assert done.returncode == 141
    assert b"Error" not in done.stderr
    assert b"error" not in done.stderr


def test_ctrl_c_ends_a_sample_with_130_and_no_traceback(bare_setting: Path) -> None:
    model = random_model(learned_end=True)
    model.model.tensors()["head.bias"][0] = -1e4  # it never ends
    save_run(model)
    endless = [sys.executable, "-m", "charrnn", "sample", "-l", "0", "-q"]
    with subprocess.Popen(
        endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.read(1)

        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=20)

    assert child.returncode == 130
    assert stderr == b""
    assert stdout.endswith(b"\n")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("2d 1s", 172801)],
)
def test_durations_have_units(text: str, seconds: float) -> None:
    assert parse_duration("time", text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5x", "5m 3", "-5m", "5mm", "1e3s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="`time` is"):
        parse_duration("time", text)


def test_control_characters_are_spelled_on_a_terminal_only(
    terminal: Any, process: Any, char_run: Path
) -> None:
    args = ("score", "the\x1b[31m\x9bfox", "-q")

    assert "the^[[31m\\x9bfox" in terminal(*args)
    assert b"the\x1b[31m" in process(*args).stdout


@pytest.mark.promise("R18")
def test_any_locale_will_do(process: Any, char_run: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    args = ("sample", "Größe 水", "-l", "1", "--seed", "1")

    done = process(*args, env=dict(os.environ) | plain)

    assert done.returncode == 0
    assert done.stdout.startswith("Größe 水".encode())


def test_what_json_has_no_word_for_is_null_or_escaped(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    console.write_json({"a": float("nan"), "b": [float("inf")], "c": "\udcff"})

    written = capsysbinary.readouterr().out
    assert json.loads(written) == {"a": None, "b": [None], "c": "\udcff"}
