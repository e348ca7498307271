"""Data for a trained model: which files are plain text, layouts, missing outputs."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.data.examples import read_examples
from charrnn.data.formats.base import Labelled
from charrnn.data.inputs import Reading, parse_example
from charrnn.errors import TextError
from charrnn.storage.records import CorpusRecord, ModelSummary
from charrnn.text.sources import Source


def sources_of(found: Labelled) -> list[str]:
    return [one.source for one in found.examples]


def held(text: str, name: str = "stdin") -> Source:
    return Source(name, text.encode())


def summary(task: str, form: str, columns: str, *header: str) -> ModelSummary:
    """Return the summary of a model whose data had a layout."""
    layout = {"format": form, "columns": columns, "header": list(header)}
    return ModelSummary(task=task, corpus=CorpusRecord([], layout=layout))


# --- plain text


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\t", codec="utf-8"))))
def test_every_line_of_a_text_is_an_input(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)

    (found,) = Reading().inputs([held(text, "a.tsv")])

    assert sources_of(found) == lines
    assert found.format == ""


def test_line_ends_of_windows_and_a_missing_last_one_change_nothing() -> None:
    reading = Reading("classify")

    (found,) = reading.inputs([held("a\r\n\r\nb")])

    assert sources_of(found) == ["a", "", "b"]


@pytest.mark.parametrize(
    ("task", "text", "form"),
    [
        ("classify", "Anna\tx\nBo\ty\n", "tsv"),
        ("classify", "__label__x Anna\n__label__y Bo\n", "fasttext"),
        ("classify", '{"text": "Anna"}\n{"text": "Bo"}\n', "jsonl"),
        ("tag", "Anna N\nran V\n\nBo N\nran V\n\n", "conll"),
        ("translate", "Anna\nBo\n", ""),
        ("", "Anna\tx\nBo\ty\n", ""),
    ],
)
def test_format_of_stdin_follows_from_its_lines(
    task: str, text: str, form: str
) -> None:
    (found,) = Reading(task).inputs([held(text)])

    assert found.format == form
    assert sources_of(found)[0].startswith("Anna")


@pytest.mark.parametrize(("name", "form"), [("stdin", ""), ("a.tsv", "tsv")])
def test_text_with_tabs_is_plain_if_inputs_have_them(name: str, form: str) -> None:
    reading = Reading("translate", has_tabs=True)

    (found,) = reading.inputs([held("kuzu\tN;LOC\nvade\tN;ABL\n", name)])

    assert found.format == form


def test_two_languages_are_inputs_and_outputs() -> None:
    files = [held("eins\nzwei\n", "a.de"), held("one\ntwo\n", "a.en")]

    (found,) = Reading("translate").inputs(files)

    assert sources_of(found) == ["eins", "zwei"]
    assert found.format == "parallel"


# --- layouts


def test_file_with_the_header_of_the_training_data_is_read_like_it() -> None:
    reading = Reading.of(summary("classify", "csv", "3,1", "v1", "id", "v2"), "")

    found = reading.examples([held("v1,id,v2\nham,7,hello\n", "a.csv")])

    assert [(one.source, one.target) for one in found.examples] == [("hello", "ham")]


def test_file_with_another_header_is_read_by_its_own() -> None:
    reading = Reading.of(summary("classify", "csv", "2,1", "v1", "v2"), "")

    found = reading.examples([held("text,label\nhello,ham\n", "a.csv")])

    assert [(one.source, one.target) for one in found.examples] == [("hello", "ham")]


def test_labels_first_in_training_are_first_in_a_small_file() -> None:
    reading = Reading.of(summary("classify", "tsv", "2,1"), "")

    found = reading.examples([held("a\tAnna\nb\tBo\n", "a.tsv")])

    assert sources_of(found) == ["Anna", "Bo"]


def test_columns_that_are_given_win() -> None:
    reading = Reading.of(summary("classify", "tsv", "2,1"), "1,2")

    assert sources_of(reading.examples([held("Anna\ta\n", "a.tsv")])) == ["Anna"]


def test_layout_that_does_not_fit_is_ignored() -> None:
    reading = Reading.of(summary("translate", "tsv", "1+3,2"), "")

    assert sources_of(reading.examples([held("Anna\tx\n", "a.tsv")])) == ["Anna"]


# --- missing outputs

CONLLU = "# id\n1\tthe" + "\t_" * 8 + "\n2\tcat" + "\t_" * 8 + "\n\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "hello\n\nyou\n"),
        ("a.tsv", "hello\t\nyou\tx\n"),
        ("a.tsv", "text\nhello\nyou\n"),
        ("a.tsv", "label\ttext\n\thello\nx\tyou\n"),
        ("a.csv", "text\nhello\nyou\n"),
        ("a.csv", "id;text\n1;hello\n2;you\n"),
        ("a.csv", "text,label\nhello,\nyou,x\n"),
        ("a.jsonl", '{"text": "hello"}\n\n{"text": "you", "label": ""}\n'),
        ("a.jsonl", '{"id": 1, "text": "hello"}\n{"id": 2, "text": "you"}\n'),
    ],
)
def test_inputs_are_read_without_labels(name: str, text: str) -> None:
    found = read_examples(held(text, name), task="classify", unlabelled=True)

    assert sources_of(found) == ["hello", "you"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.conll", "the\ncat\n"),
        ("a.conllu", CONLLU),
        ("a.jsonl", '{"tokens": ["the", "cat"]}\n'),
        ("a.jsonl", '{"tokens": ["the", "cat"], "tags": []}\n'),
    ],
)
def test_words_are_read_without_tags(name: str, text: str) -> None:
    found = read_examples(held(text, name), task="tag", unlabelled=True)

    assert sources_of(found) == ["the cat"]


def test_missing_output_of_a_known_column_is_filled_in() -> None:
    like = Labelled([], "translate", "tsv", "", "1+3,2")

    found = read_examples(
        held("kuzu\t\tN;LOC\nvade\t\tN;ABL\n", "a.tsv"), like=like, unlabelled=True
    )

    assert sources_of(found) == ["kuzu\tN;LOC", "vade\tN;ABL"]


@pytest.mark.parametrize(
    ("name", "text", "task"),
    [
        ("a.tsv", "Anna\tx\nBo\ty\n", "classify"),
        ("a.csv", 'text,label\n"a ""b"", c",x\nd,y\n', "classify"),
        ("a.jsonl", '{"text": "é", "label": "x"}\n', "classify"),
        ("a.conll", "the\tDET\ncat\tN\n\nsat\tV\n", "tag"),
    ],
)
def test_completing_leaves_whole_data_alone(name: str, text: str, task: str) -> None:
    source = held(text, name)

    found = read_examples(source, task=task, unlabelled=True)

    assert found == read_examples(source, task=task)


# --- examples in texts


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [("Anna\tx", "Anna", "x"), ("kuzu\tN;LOC\tkuzuda", "kuzu\tN;LOC", "kuzuda")],
)
def test_last_tab_of_a_text_ends_the_input(text: str, source: str, target: str) -> None:
    found = parse_example(text, 1, "translate")

    assert (found.source, found.target) == (source, target)


@pytest.mark.parametrize("text", ["", "Anna", "Anna\t ", "\tx", "a b\tN"])
def test_text_that_is_no_example_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="TEXT 3"):
        parse_example(text, 3, "tag")


def test_layout_is_recorded_by_training(charrnn: Any) -> None:
    text = "".join(f"{'xy'[k % 2]};name{k}\n" for k in range(40))
    Path("a.csv").write_text(text)

    result = charrnn("train", "a.csv", "--family", "bayes", "-q")

    record = (Path(result.stdout.strip()) / "run.json").read_text()
    assert '"columns": "2,1"' in record
