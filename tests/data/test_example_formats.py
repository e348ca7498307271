"""Labelled data in the other formats, and how formats are recognised."""

import bz2
import gzip
import io
import lzma
import sys

import pytest
from support.corpus import source

from charrnn.data.examples import Example, is_labelled, read_examples, task_of
from charrnn.text.sources import find_sources

SENTENCES = [Example("New York burns", "B-place I-place O", 1), Example("#no", "O", 5)]


def read(text, name, **options):
    return read_examples(source(text, name), **options)


def pairs(labelled):
    return [(one.source, one.target) for one in labelled.examples]


def table(*rows, separator="\t"):
    return "".join(separator.join(row) + "\n" for row in rows)


# fastText, dictionaries and parallel files


def test_fasttext_lines_begin_with_their_label():
    found = read("__label__a+b Text, as it is \n__label__c\ttext\n", "train.txt")

    assert pairs(found) == [("Text, as it is ", "a+b"), ("text", "c")]
    assert (found.task, found.format) == ("classify", "fasttext")


def test_a_dictionary_has_variants_and_comments():
    text = ";;; CMUdict\na AH0\na(2) EY1\naalborg AO1 L B # place, danish\n#sharp  SH\n"

    found = read(text, "cmu.dict")

    assert found.examples == [
        Example("a", "AH0", 2),
        Example("a", "EY1", 3),
        Example("aalborg", "AO1 L B", 4),
        Example("#sharp", "SH", 5),
    ]
    assert (found.task, found.format) == ("translate", "dict")


@pytest.mark.parametrize("names", [("a.de", "a.en"), ("source.txt", "target.txt")])
def test_two_files_belong_together_line_by_line(names):
    both = [source("Haus\n\nein Hund", names[0]), source("house\n\na dog\n", names[1])]

    found = read_examples(both)

    assert found.examples == [
        Example("Haus", "house", 1),
        Example("ein Hund", "a dog", 3),
    ]
    assert (found.task, found.format) == ("translate", "parallel")


# CoNLL columns and CoNLL-U


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r"])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_conll_has_a_word_per_line_and_blank_lines_between_sentences(separator, blank):
    rows = ["New B-place", "York I-place", "burns O", blank, "#no O", blank, blank]

    found = read("\n".join(rows).replace(" ", separator), "a.conll")

    assert found.examples == SENTENCES
    assert (found.task, found.columns) == ("tag", "1,2")


def test_the_tag_is_in_the_last_column_and_comments_and_documents_are_skipped():
    text = "# id = 7 of 9 here\n-DOCSTART- -X- O O\n\nU.N. NNP I-NP I-ORG\n# # O O\n"

    found = read(text, "eng.conll")

    assert found.examples == [Example("U.N. #", "I-ORG O", 4)]
    assert found.columns == "1,4"


@pytest.mark.parametrize("columns", ["2", "1,2"])
def test_another_column_of_conll_can_be_the_tag(columns):
    found = read("U.N. NNP I-NP I-ORG\n", "eng.conll", columns=columns)

    assert pairs(found) == [("U.N.", "NNP")]


def test_tags_before_the_words_are_found_if_few_tags_repeat():
    rows = [("OB"[n % 2], f"word{n}") for n in range(20)]

    found = read(table(*rows), "movies.bio")

    assert pairs(found) == [
        (" ".join(word for _, word in rows), " ".join(tag for tag, _ in rows))
    ]
    assert found.columns == "2,1"


CONLLU = """\
# text = Des gens
1-2\tDes\t_\t_\t_\t_\t_\t_\t_\t_
1\tde\tde\tADP\tIN\t_\t0\t_\t_\t_
1.1\tnot there\t_\tX\tX\t_\t0\t_\t_\t_
2\tles\tle\tDET\tDT\tNumber=Plur\t0\t_\t_\t_

1\t10 000\t10 000\tNUM\tCD\t_\t0\t_\t_\t_
"""


@pytest.mark.parametrize(
    ("columns", "tags"),
    [
        ("", ["ADP DET", "NUM"]),
        ("XPOS", ["IN DT", "CD"]),
        ("5", ["IN DT", "CD"]),
        ("form,feats", ["_ Number=Plur", "_"]),
        ("FORM,4", ["ADP DET", "NUM"]),
    ],
)
def test_conllu_skips_ranges_empty_words_and_comments(columns, tags):
    found = read(CONLLU, "fr.conllu", columns=columns)

    assert found.examples == [
        Example("de les", tags[0], 3),
        Example("10\u00a0000", tags[1], 7),
    ]


# What a file is


@pytest.mark.parametrize(
    ("name", "text", "task", "format"),
    [
        ("a.txt", "a\tb\n", "translate", "tsv"),
        ("stdin", '{"text": "a", "label": "b"}\n', "classify", "jsonl"),
        ("stdin", CONLLU, "tag", "conllu"),
        ("a.conll", CONLLU, "tag", "conllu"),
        ("a.txt", "a O\nb O\n\nc O\n", "tag", "conll"),
        ("a.tsv", "a\tO\nb\tO\n\nc\tO\n", "", "conll"),
        ("a.tsv", "a\tO\nb\tO\n\nc\tO\n", "translate", "tsv"),
        ("cmudict-0.7b", ";;; old\nA  AH0\nA(2)  EY1\n", "translate", "dict"),
        ("stdin", "text,label\na,b\n", "classify", "csv"),
    ],
)
def test_a_format_is_recognised_by_all_lines(name, text, task, format):
    assert read(text, name, task=task).format == format


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        (["a.txt"], "a\tb\n", False),
        (["a.txt"], "__label__x a\n__label__y b\n", True),
        (["a.tsv"], "a\tb\n", True),
        (["a.conllu.gz"], "", True),
        (["a.tsv", "b.txt"], "a\tb\n", False),
        (["train.de", "train.en"], "a\n", True),
        (["train.de.gz", "train.en.gz"], "", True),
        (["train.de", "valid.en"], "a\n", False),
        (["read.md", "read.py"], "a\n", False),
        ([], "", False),
    ],
)
def test_plain_text_is_not_labelled(tmp_path, names, text, expected):
    sources = [source(text, name) for name in names]

    assert is_labelled(sources) == expected


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_named_like_plain_ones(tmp_path, pack):
    end = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz"}[pack]
    path = tmp_path / f"a.dict.{end}"
    path.write_bytes(pack(b"a AH0\n"))

    assert pairs(read_examples(find_sources([str(path)]))) == [("a", "AH0")]
    assert task_of([str(path)]) == "translate"


def test_columns_are_given_for_labelled_data_only(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text(table(*[(f"name {n}", "ab"[n % 2]) for n in range(20)]))

    assert task_of([str(path)]) == ""
    assert task_of([str(path)], "1,2") == "classify"


def test_stdin_and_missing_files_have_no_task_yet(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\tb\n")))

    assert task_of(["-"]) == task_of(["missing.tsv"]) == ""


def test_several_files_are_read_alike():
    first = source(
        table(("v1", "v2"), *[("ab"[n % 2], f"t {n}") for n in range(30)]), "a.tsv"
    )
    other = source(table(("v1", "v2"), ("c", "text"), ("d", "x")), "b.tsv")

    found = read_examples([first, other])

    assert pairs(found)[30:] == [("text", "c"), ("x", "d")]
    assert read_examples(other, like=found).examples == found.examples[30:]
