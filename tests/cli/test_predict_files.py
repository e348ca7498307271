"""`charrnn predict` with files: formats, missing labels, and what -o writes."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.conditional import EXAMPLES, Pairs, save_conditional, write_labelled

from charrnn.data.examples import Example, read_examples, write_examples
from charrnn.text.sources import Source

FORMATS = {
    "classify": {
        "tsv": "a.tsv", "csv": "a.csv", "jsonl": "a.jsonl", "fasttext": "a.txt"
    },
    "tag": {"conll": "a.conll", "conllu": "a.conllu", "tsv": "a.tsv"},
    "translate": {"tsv": "a.tsv", "jsonl": "a.jsonl", "dict": "a.dict"},
}  # fmt: skip
CASES = [(task, form) for task, formats in FORMATS.items() for form in formats]
#: the metric that is 1 if all outputs are right
PERFECT = {"classify": "accuracy", "tag": "tag_accuracy", "translate": "exact"}

every_task = pytest.mark.parametrize("task", EXAMPLES)
every_format = pytest.mark.parametrize(("task", "form"), CASES)


def written(task: str, form: str, pairs: Pairs) -> str:
    """Write examples in a format; return the path."""
    path = FORMATS[task][form]
    columns = "source,target" if (task, form) == ("translate", "jsonl") else ""
    examples = (Example(*pair) for pair in pairs)
    text = "".join(write_examples(form, examples, columns=columns))
    Path(path).write_text(text, encoding="utf-8")
    return path


def best(charrnn: Any, *args: Any) -> list[Any]:
    """Return the best output for each input."""
    result = charrnn("predict", *args, "--json")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row["predictions"][0]["output"] for row in rows]


@every_format
def test_labels_in_a_file_are_ignored(charrnn: Any, task: str, form: str) -> None:
    save_conditional(task)
    inputs = [source for source, _ in EXAMPLES[task]]

    from_file = best(charrnn, "-f", written(task, form, EXAMPLES[task]))

    assert from_file == best(charrnn, *inputs)


@every_format
def test_output_file_reads_back_with_the_predictions(
    charrnn: Any, task: str, form: str
) -> None:
    save_conditional(task)
    path = written(task, form, EXAMPLES[task])
    out = path.replace("a.", "b.")

    result = charrnn("predict", "-f", path, "-o", out)

    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    found = read_examples(Source(out), task=task).examples
    assert [one.source for one in found] == [source for source, _ in EXAMPLES[task]]
    outputs = best(charrnn, "-f", path)
    listed = [" ".join(x) if isinstance(x, list) else x for x in outputs]
    assert [one.target for one in found] == listed


@every_task
def test_predictions_score_as_right(charrnn: Any, task: str) -> None:
    save_conditional(task)
    path = write_labelled(task, EXAMPLES[task])
    out = f"out{Path(path).suffix}"
    charrnn("predict", "-f", path, "-o", out)

    result = charrnn("score", "-f", out, "--per", "total", "--json")

    assert json.loads(result.stdout)[PERFECT[task]] == 1


@every_task
def test_plain_text_is_written_in_the_usual_format(charrnn: Any, task: str) -> None:
    save_conditional(task)
    inputs = [source for source, _ in EXAMPLES[task]]
    Path("in.txt").write_text("\n\n".join(inputs))

    charrnn("predict", "-f", "in.txt", "-o", "out.txt")

    outputs = best(charrnn, *inputs)
    lines = Path("out.txt").read_text().splitlines()
    if task == "tag":
        words = [word for text in inputs for word in text.split()]
        tags = [tag for found in outputs for tag in found]
        pairs = zip(words, tags, strict=True)
        assert [line for line in lines if line] == [f"{w}\t{t}" for w, t in pairs]
    else:
        pairs = zip(inputs, outputs, strict=True)
        assert lines == [f"{source}\t{target}" for source, target in pairs]


def test_conll_gives_conll(charrnn: Any) -> None:
    save_conditional("tag")
    path = write_labelled("tag", EXAMPLES["tag"])

    shown = charrnn("predict", "-f", path).stdout

    assert shown == charrnn("predict", "-f", path, "-o", "-").stdout
    assert shown.count("\n\n") == len(EXAMPLES["tag"])


def test_header_and_columns_of_csv_are_kept(charrnn: Any) -> None:
    save_conditional("classify")
    Path("a.csv").write_text('label,id,text\nx,1,Anna\nx,2,"Lake, ""Como"""\n')

    charrnn("predict", "-f", "a.csv", "-o", "b.csv")

    one, two = best(charrnn, "Anna", 'Lake, "Como"')
    assert Path("b.csv").read_bytes().decode() == (
        f'label,id,text\r\n{one},,Anna\r\n{two},,"Lake, ""Como"""\r\n'
    )


def test_columns_are_chosen_by_an_option(charrnn: Any) -> None:
    save_conditional("classify")
    Path("a.csv").write_text("1,Anna,x\n2,Bo,x\n3,Berg,x\n")

    assert best(charrnn, "-f", "a.csv", "--columns", "2,3") == best(
        charrnn, "Anna", "Bo", "Berg"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "Anna\nBo\n"),
        ("a.tsv", "Anna\t\nBo\t\n"),
        ("a.csv", "text\nAnna\nBo\n"),
        ("a.csv", "id,text\n1,Anna\n2,Bo\n"),
        ("a.csv", "text,label\nAnna,\nBo,\n"),
        ("a.jsonl", '{"text": "Anna"}\n{"text": "Bo"}\n'),
        ("a.jsonl", '{"text": "Anna", "label": null}\n{"text": "Bo"}\n'),
        ("a.txt", "Anna\r\nBo\r\n"),
    ],
)
def test_labels_may_be_missing(charrnn: Any, name: str, text: str) -> None:
    save_conditional("classify")
    Path(name).write_text(text, newline="")

    assert best(charrnn, "-f", name) == best(charrnn, "Anna", "Bo")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.conll", "the\ncat\n\nsit\n"),
        ("a.conllu", "1\tthe" + "\t_" * 8 + "\n2\tcat" + "\t_" * 8 + "\n\n1\tsit"
         + "\t_" * 8 + "\n"),
        ("a.jsonl", '{"tokens": ["the", "cat"]}\n{"tokens": ["sit"]}\n'),
        ("a.txt", "the cat\nsit\n"),
    ],
)  # fmt: skip
def test_tags_may_be_missing(charrnn: Any, name: str, text: str) -> None:
    save_conditional("tag")
    Path(name).write_text(text)

    assert best(charrnn, "-f", name) == best(charrnn, "the cat", "sit")


def test_stdin_is_read_like_a_file(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    piped = charrnn("predict", "-", "--json", input=Path(path).read_text())

    assert piped.stdout == charrnn("predict", "-f", path, "--json").stdout


def test_tabs_belong_to_inputs_if_the_model_knows_them(charrnn: Any) -> None:
    save_conditional("translate")
    with_tabs = "a\tb\nb\ta\n"

    # the characters of these models are those of the examples, without TABs
    assert best(charrnn, "-f", _file("a.txt", with_tabs)) == best(charrnn, "a", "b")


def test_input_file_is_not_overwritten(charrnn: Any) -> None:
    save_conditional("classify")
    path = write_labelled("classify", EXAMPLES["classify"])

    result = charrnn("predict", "-f", path, "-o", path)

    assert result.exit_code == 2
    assert "overwritten" in result.stderr


def test_line_that_cannot_be_read_is_named(charrnn: Any) -> None:
    save_conditional("classify")

    result = charrnn("predict", "-f", _file("a.csv", 'a,b\n"c,d\n'))

    assert result.exit_code == 4
    assert "a.csv, line" in result.stderr


def _file(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name
