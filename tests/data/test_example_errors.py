"""Every error of labelled data names the file, the line and what was expected."""

import re

import pytest
from support.corpus import source

from charrnn.data.examples import Example, read_examples, split, write_examples
from charrnn.errors import TextError, UsageError

CONLLU_ROW = "1\ta\ta\tNOUN\t_\t_\t0\t_\t_\t_\n"

LINES = {
    "TSV without TAB": ("a.tsv", "a\tb\nc d\n", 2, "expected input TAB output"),
    "TSV with a third cell": ("a.tsv", "a\tb\nc\td\ne\tf\tg\n", 3, "3 columns, but"),
    "no input": ("a.tsv", "a\tb\n \td\n", 2, "the input is empty"),
    "no label": ("a.tsv", "a\tb\nc\t\n", 2, "the output is empty"),
    "words without tags": ("b.tsv", "a b\tA B\nc d\tA\n", 2, "2 words, but 1 tag"),
    "unquoted comma": ("a.csv", "a,b\nc,d\ne,f,g\n", 3, "3 columns, but most"),
    "short row": ("a.csv", "a,b\nc,d\ne\n", 3, "1 column, but most"),
    "open quote": ("a.csv", 'a,b\nc,d\n"e,f\ng,h\n', 3, "a quote is opened, but"),
    "open quote at the end": ("a.csv", 'a,b\nc,d\ne,"f', 3, "a quote is opened, but"),
    "old Mac": ("a.tsv", "a\tb\rc\td\r", 1, "lines end with CR, without LF"),
    "empty outputs": ("a.tsv", "a\t\nb\t\n", 1, "the output is empty"),
    "one column": ("a.csv", "a\nb\n", 1, "there is one column, but an"),
    "many columns": ("a.csv", "a,b,c,d\n", 1, "it is not clear which of"),
    "not JSON": ("a.jsonl", '{"text": "a", "label": "b"}\n{"text"\n', 2, "this is not"),
    "JSON list": ("a.jsonl", '["a", "b"]\n', 1, "expected an object"),
    "deep JSON": ("a.jsonl", 100_000 * "[" + "\n", 1, "this is not JSON: "),
    "other keys": ("a.jsonl", '{"x": "a", "y": "b"}\n', 1, "it is not clear which"),
    "lost key": ("a.jsonl", '{"text": "a", "label": 1}\n{}\n', 2, 'no "text", only an'),
    "null": ("a.jsonl", '{"text": null, "label": 1}\n', 1, '"text" is neither a text'),
    "no word": ("a.jsonl", '{"tokens": [""], "tags": ["O"]}', 1, '"tokens" has an'),
    "surrogate": ("a.jsonl", '{"text": "\\udc80", "label": 1}', 1, '"text" contains'),
    "unlabelled": ("a.txt", "__label__x a\n__label__y b\nc", 3, "expected __label__"),
    "two labels": ("a.txt", "__label__x __label__y a\n", 1, "there are several"),
    "label alone": ("a.txt", "__label__x\n", 1, "the input is empty"),
    "no phones": ("a.dict", "a AH0\nb # what?\n", 2, "no pronunciation after 'b'"),
    "no tag": ("a.conll", "a O\nb O\nc\n", 3, "expected 2 columns with the tag last"),
    "tags nowhere": ("a.conll", "a\nb\n", 1, "expected 2 columns with the tag last"),
    "blank tag": ("a.conll", "a\tO\nb\t\n", 2, "the tag is missing"),
    "blank word": ("a.conll", "a\tO\n\tO\n", 2, "the word is missing"),
    "nine columns": ("a.conllu", CONLLU_ROW[:-3] + "\n", 1, "expected 10 columns"),
    "odd id": ("a.conllu", "x" + CONLLU_ROW, 1, "expected the number of a word"),
    "_ as UPOS": ("a.conllu", CONLLU_ROW.replace("NOUN", "_"), 1, "UPOS is missing"),
}  # fmt: skip


def read(text, name, **options):
    return read_examples(source(text, name), **options)


@pytest.mark.parametrize("what", LINES)
def test_an_error_names_file_and_line(what):
    name, text, line, message = LINES[what]
    task = {"a.tsv": "translate", "b.tsv": "tag"}.get(name, "")
    expected = re.escape(f"{name}, line {line:,}: {message}")

    with pytest.raises(TextError, match=f"^{expected}") as caught:
        read(text, name, task=task)

    assert caught.value.hint


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl", "a.conllu", "a.txt"])
@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_named(name, text):
    with pytest.raises(TextError, match=rf"^{re.escape(name)} is empty"):
        read(text, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", "text,label\n"), ("a.dict", ";;; a\n"), ("a.conllu", "# a\n")],
)
def test_a_file_without_examples_is_named(name, text):
    with pytest.raises(TextError, match=f"^{name} contains no examples"):
        read(text, name)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["a\tb"] * 3, "the output has 1 different values in 3 rows"),
        (
            [f"{n}\t{n % 5}" for n in range(20)],
            "the output has 5 different values in 20 rows",
        ),
        (["a\tb", "a\tc"] * 10, "both columns repeat a few values"),
        ([f"{n}\t{n % 201}" for n in range(9999)], "the output has 201 different"),
    ],
)
def test_a_task_that_is_not_clear_must_be_chosen(rows, why):
    with pytest.raises(TextError, match=f"^the task of a.tsv is not clear: {why}") as e:
        read("\n".join(rows), "a.tsv")

    assert "set `task`: classify" in e.value.hint


def test_plain_text_is_in_no_format():
    with pytest.raises(TextError, match="not in a known format") as caught:
        read("It was a dark night.\nIt rained.\n", "a.txt", task="classify")

    assert "input TAB output" in caught.value.hint


def test_parallel_files_of_unequal_length_are_an_error_with_both_counts():
    both = [source("a\nb\n", "train.de"), source("a\n", "train.en")]

    with pytest.raises(TextError, match=r"^train\.de has 2 lines, but train\.en has 1"):
        read_examples(both)


def test_a_parallel_line_without_its_partner_is_an_error():
    both = [source("a\nb\nc\n", "train.de"), source("a\n\nc\n", "train.en")]

    with pytest.raises(TextError, match=r"^train\.de, line 2: the output is empty"):
        read_examples(both)


@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl", "a.conllu"])
def test_only_old_formats_may_be_in_old_encodings(name):
    with pytest.raises(TextError, match=f"^{name}, line 2: not UTF-8") as caught:
        read("caf\xe9\tb\n".encode() + "caf\xe9\tb\n".encode("latin-1"), name)

    assert f"iconv -f latin1 -t utf-8 {name}" in caught.value.hint


def test_utf_16_is_named():
    with pytest.raises(TextError, match=r"^a\.csv is UTF-16, not UTF-8"):
        read("a,b\n".encode("utf-16"), "a.csv")


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.conll", "a O\n", {"task": "classify"}, "classify, but the conll format"),
        ("a.dict", "a AH\n", {"task": "tag"}, "tag, but the dict format"),
        ("a.dict", "a AH\n", {"columns": "1,2"}, "dict format does not support"),
        ("a.tsv", "a\tb\n", {"columns": "1"}, "does not name an input and an output"),
        ("a.tsv", "a\tb\n", {"columns": "1,2,3"}, "does not name an input and an"),
        ("a.tsv", "a\tb\n", {"columns": "1+,2"}, "does not name an input and an"),
        ("a.tsv", "a\tb\n", {"columns": "1,3"}, "column 3, but the file has 2"),
        ("a.tsv", "a\tb\n", {"columns": "0,1"}, "column 0, but the file has 2"),
        ("a.csv", "x,y\na,b\n", {"columns": "x,z"}, '"z"; the columns are named'),
        ("a.conllu", CONLLU_ROW, {"columns": "POS"}, "are named: ID, FORM, LEMMA"),
    ],
)  # fmt: skip
def test_an_option_that_does_not_fit_is_a_usage_error(name, text, options, message):
    with pytest.raises(UsageError, match=message) as caught:
        read(text, name, **options)

    assert caught.value.hint


@pytest.mark.parametrize(
    ("format", "source", "target"),
    [
        ("tsv", "a\tb", "c"),
        ("tsv", "a", "b\nc"),
        ("fasttext", "a", "b c"),
        ("fasttext", "a\nb", "c"),
        ("conll", "a\tb", "c"),
        ("conllu", "a\nb", "c"),
        ("conll", "-DOCSTART-", "O"),
        ("conllu", "a", "_"),
        ("fasttext", "__label__a", "b"),
        ("dict", "a b", "c"),
        ("dict", "a(2)", "c"),
        ("dict", "a", "b #c"),
        ("parallel", "a", "b\nc"),
    ],
)
def test_a_format_does_not_write_what_it_cannot_hold(format, source, target):
    with pytest.raises(TextError, match=f"^line 7 cannot be written as {format}"):
        list(write_examples(format, [Example(source, target, 7)]))


@pytest.mark.parametrize(
    ("format", "layout"),
    [("csv", {"columns": "1+3,2"}), ("jsonl", {"columns": "a+b,c"})],
)
def test_an_input_must_have_as_many_parts_as_the_layout(format, layout):
    examples = [Example("a\tb", "c", 1), Example("a", "c", 2)]

    with pytest.raises(TextError, match="^line 2 has 1 inputs instead of 2"):
        list(write_examples(format, examples, **layout))


@pytest.mark.parametrize("examples", [[], [Example("a", "b"), Example("a", "c")]])
def test_equal_inputs_cannot_be_split(examples):
    with pytest.raises(TextError, match="all examples have the same input"):
        split(examples, 0.1, 0)
