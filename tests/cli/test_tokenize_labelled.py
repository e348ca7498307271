"""`charrnn tokenize` on labelled data."""

import json
from pathlib import Path
from typing import Any

import pytest

LABELS = ("Arabic", "English")
ROWS = [(f"name{n}", LABELS[n % 2]) for n in range(40)]
NAMES = "".join(f"{name}\t{label}\n" for name, label in [*ROWS, ("name1", "Arabic")])


@pytest.fixture
def names(bare_setting: Path) -> str:
    Path("names.tsv").write_text(NAMES)
    return "names.tsv"


def labelled(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)["labelled"]
    return found


def test_report_shows_task_labels_and_contradictions(charrnn: Any, names: str) -> None:
    lines = charrnn("tokenize", names).stdout.splitlines()

    assert lines[:12] == [
        "task             classify",
        "because          column 2 has 2 different values in 41 rows",
        "format           tsv, columns 1,2",
        "examples         41",
        '                 "name0" -> "Arabic"',
        '                 "name1" -> "English"',
        '                 "name2" -> "Arabic"',
        "labels           2",
        '                 "Arabic" 21  "English" 20',
        "contradictions   1 input with several outputs",
        '                 "name1" -> "Arabic" or "English"',
        "input length     median 6, longest 6 characters",
    ]
    # 11 names of 5 characters and 30 of 6
    assert "characters       235, 14 distinct" in lines
    assert all(len(line) < 80 for line in lines)


def test_json_holds_both_reports(charrnn: Any, names: str) -> None:
    result = charrnn("tokenize", names, "--json")

    found = labelled(result)
    assert found["task"] == "classify"
    assert found["labels"] == {"Arabic": 21, "English": 20}
    assert found["contradictions"] == [
        {"input": "name1", "outputs": ["Arabic", "English"]}
    ]
    assert json.loads(result.stdout)["characters"] == 235


@pytest.mark.parametrize("options", [("--task", "classify"), ("--columns", "1,2")])
def test_plain_text_is_labelled_if_an_option_says_so(
    charrnn: Any, bare_setting: Path, options: tuple[str, ...]
) -> None:
    Path("names.txt").write_text(NAMES)

    assert "labelled" not in json.loads(
        charrnn("tokenize", "names.txt", "--json").stdout
    )
    assert labelled(charrnn("tokenize", "names.txt", "--json", *options))["labels"]


def test_task_language_reads_any_file_as_text(charrnn: Any, names: str) -> None:
    result = charrnn("tokenize", names, "--task", "language", "--json")

    assert "labelled" not in json.loads(result.stdout)
    assert json.loads(result.stdout)["bytes"] == len(NAMES)


def test_labelled_data_is_read_from_stdin(charrnn: Any) -> None:
    result = charrnn("tokenize", "--task", "classify", "--json", input=NAMES)

    assert labelled(result)["examples"] == 41


def test_columns_choose_the_tag(charrnn: Any) -> None:
    rows = [("burn", "VERB", "VB"), ("it", "PRON", "PRP")]
    lines = (f"1\t{w}\t{w}\t{u}\t{x}\t_\t0\t_\t_\t_\n\n" for w, u, x in rows)
    Path("en.conllu").write_text("".join(lines))

    found = labelled(charrnn("tokenize", "en.conllu", "--columns", "XPOS", "--json"))

    assert found["labels"] == {"PRP": 1, "VB": 1}
    assert found["unit"] == "words"


def test_the_saved_tokenizer_is_that_of_the_inputs(charrnn: Any, names: str) -> None:
    saved = charrnn("tokenize", names, "-o", "-").stdout

    assert json.loads(saved)["level"] == "char"
    assert set(json.loads(saved)["characters"]) == set("name0123456789")


def test_twins_and_notes_are_shown(charrnn: Any, bare_setting: Path) -> None:
    rows = [f"{name},{label},\r\n" for name, label in ROWS] * 2
    rows[0], rows[1] = "name0,arabic,\r\n", "caf\xe9,English,more\r\n"
    Path("names.csv").write_bytes("".join(rows).encode("cp1252"))

    text = charrnn("tokenize", "names.csv").stdout

    assert 'similar labels   "Arabic"  "arabic"\n' in text
    assert (
        "note             1 row with text in unused columns, first in line 2\n" in text
    )
    assert "note             names.csv is not UTF-8 and was read as cp1252\n" in text


def test_an_unclear_task_is_an_error_that_names_the_flag(charrnn: Any) -> None:
    Path("a.tsv").write_text("a\tb\nc\td\n")

    result = charrnn("tokenize", "a.tsv")

    assert result.exit_code == 4
    assert "the task of a.tsv is not clear" in result.stderr
    assert "set --task: classify if" in result.stderr


@pytest.mark.parametrize("option", [("--task", "tag"), ("--columns", "1,2")])
def test_encoding_takes_plain_text(charrnn: Any, option: tuple[str, ...]) -> None:
    result = charrnn("tokenize", "--encode", *option, input="a")

    assert result.exit_code == 2
    assert "take plain text" in result.stderr


def test_a_given_tokenizer_reads_the_inputs(charrnn: Any, names: str) -> None:
    charrnn("tokenize", names, "--level", "byte", "-o", "bytes.json")

    result = charrnn("tokenize", names, "--tokenizer", "bytes.json", "--json")

    assert json.loads(result.stdout)["level"] == "byte"
    assert labelled(result)["examples"] == 41
