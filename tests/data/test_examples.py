"""Labelled data in tables and JSON Lines, in files that can be checked by eye."""

import pytest
from support.corpus import source

from charrnn.data.examples import Example, read_examples

LABELS = [("Khoury", "Arabic"), ("Abel", "English"), ("Abe", "Japanese")]


def read(text, name, **options):
    return read_examples(source(text, name), **options)


def pairs(labelled):
    return [(one.source, one.target) for one in labelled.examples]


def table(*rows, separator="\t"):
    return "".join(separator.join(row) + "\n" for row in rows)


def many(row, rows):
    """Return rows of a table, by number, as text."""
    return table(*map(row, range(rows)))


# TSV and CSV


def test_tsv_is_input_tab_output_with_the_line_of_each():
    found = read("Khoury\tArabic\r\n\nAbel\tEnglish", "names.tsv", task="classify")

    assert found.examples == [
        Example("Khoury", "Arabic", 1),
        Example("Abel", "English", 3),
    ]
    assert (found.format, found.columns) == ("tsv", "1,2")


def test_quotes_and_blanks_in_tsv_are_text():
    found = read('"a\t b "\n', "a.tsv", task="translate")

    assert pairs(found) == [('"a', ' b "')]


def test_csv_may_quote_commas_quotes_and_line_ends():
    text = 'text,label\n"a, ""b""\nc",x\nd,y\n'

    found = read(text, "a.csv")

    assert found.examples == [Example('a, "b"\nc', "x", 2), Example("d", "y", 4)]
    assert (found.task, found.header) == ("classify", ("text", "label"))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_separated_by_what_most_rows_have(separator):
    text = table(("text", "label"), *LABELS, separator=separator)

    assert pairs(read(text, "names.csv")) == LABELS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_write(encoding):
    data = "text,label\ncafé,à\n".encode(encoding)

    found = read(data, "a.csv")

    assert pairs(found) == [("café", "à")]
    assert len(found.notes) == (encoding in ("latin-1", "cp1252"))


def test_a_byte_that_windows_1252_lacks_makes_csv_latin_1():
    found = read(b"text,label\n\x81\xe9,x\n", "a.csv")

    assert pairs(found) == [("\x81é", "x")]
    assert found.notes == ("a.csv is not UTF-8 and was read as latin-1",)


def test_a_label_before_its_text_is_found_below_a_header_and_beside_empty_columns():
    # as in the collection of spam messages that people download
    rows = [("ham", f"See you at {n}, love", "", "") for n in range(30)]
    rows[7] = ("spam", "WIN a prize", " now", "")
    rows[8] = ("spam", "WIN another prize", "", "")

    found = read(table(("v1", "v2", "", ""), *rows, separator=";"), "sms.csv")

    assert pairs(found) == [(text, label) for label, text, *_ in rows]
    assert (found.task, found.columns) == ("classify", "2,1")
    assert found.header == ("v1", "v2", "", "")
    assert found.reason == (
        "column 1, with 2 different values in 30 rows, is the label"
    )
    assert found.notes == (
        "the first row is a header: v1, v2",
        "1 row with text in unused columns, first in line 9",
    )


@pytest.mark.parametrize(
    "first", [("name 1", "x"), ("Smith", "a"), ("Smith", "A"), ("7th", "x")]
)
def test_a_first_row_that_may_be_an_example_is_not_a_header(first):
    text = table(first, *((f"name {n}", "ab"[n % 2]) for n in range(30)))

    found = read(text, "a.tsv")

    assert (len(found.examples), found.header) == (31, ())


def test_columns_are_chosen_by_well_known_names_in_any_order():
    text = table(("ID", "Label", "date", "Text"), ("7", "good", "May", "It works"))

    found = read(text, "reviews.tsv")

    assert pairs(found) == [("It works", "good")]
    assert found.reason == 'the columns are named "Text" and "Label"'


@pytest.mark.parametrize("columns", ["1+3,2", "lemma+features,form"])
def test_inputs_are_joined_by_a_tab(columns):
    text = table(("lemma", "form", "features"), ("go", "went", "V;PST"))

    found = read(text, "a.tsv", task="translate", columns=columns)

    assert pairs(found)[-1] == ("go\tV;PST", "went")


def test_a_third_column_of_features_is_part_of_the_input():
    found = read("go\twent\tV;PST\nbe\twas\tV;PST;1;SG\n", "inflect.tsv")

    assert pairs(found) == [("go\tV;PST", "went"), ("be\tV;PST;1;SG", "was")]
    assert (found.task, found.columns) == ("translate", "1+3,2")


def test_few_outputs_that_repeat_are_labels():
    found = read(many(lambda n: (f"name {n}", "ab"[n % 2]), 20), "a.tsv")

    assert found.task == "classify"
    assert found.reason == "column 2 has 2 different values in 20 rows"


def test_outputs_that_rarely_repeat_are_translations():
    found = read(many(lambda n: (f"word {n}", f"w {n // 2}"), 20), "a.tsv")

    assert found.task == "translate"
    assert found.reason == "column 2 has 10 different values in 20 rows"


def test_words_and_tags_may_be_two_columns():
    found = read("New  York burns\tB I O\n", "a.tsv", task="tag")

    assert pairs(found) == [("New York burns", "B I O")]


# JSON Lines


@pytest.mark.parametrize(
    ("line", "task", "columns"),
    [
        ('{"text": "a b", "label": "c d"}', "classify", "text,label"),
        ('{"label": "c d", "id": 7, "text": "a b"}', "classify", "text,label"),
        ('{"source": "a b", "target": "c d"}', "translate", "source,target"),
        ('{"tokens": ["a", "b"], "tags": ["c", "d"]}', "tag", "tokens[],tags[]"),
        ('{"words": "a b", "ner_tags": "c d"}', "tag", "words,ner_tags"),
    ],
)
def test_json_keys_name_input_output_and_task(line, task, columns):
    found = read(line + "\n", "a.jsonl")

    assert pairs(found) == [("a b", "c d")]
    assert (found.task, found.columns) == (task, columns)


def test_json_keys_can_be_chosen_and_labels_may_be_numbers():
    text = '{"title": "a", "body": "b", "stars": 5}\n'

    found = read(text, "a.jsonl", task="classify", columns="title+body,stars")

    assert pairs(found) == [("a\tb", "5")]


def test_a_blank_inside_a_word_becomes_a_no_break_space():
    found = read('{"tokens": ["New York", "!"], "tags": ["place", "O"]}', "a.jsonl")

    assert pairs(found) == [("New\u00a0York !", "place O")]
