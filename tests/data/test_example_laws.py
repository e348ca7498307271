"""Laws of labelled data: what is written is read again, and how it is split."""

import contextlib
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.corpus import source

from charrnn.data.examples import Example, read_examples, split, write_examples
from charrnn.errors import CharRNNError

LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"])
#: words, except for those that mean something to a format
WORDS = st.text(
    st.one_of(LETTERS, st.sampled_from("#-_()\"'\\,;{ß\u0301")), min_size=1
).filter(lambda word: word not in ("_", "-DOCSTART-") and "__label__" not in word)
BLANKS = st.sampled_from(["", " ", "  ", "\u2028", "\x85", "\u00a0"])
#: texts of words, with odd characters between them
TEXTS = st.lists(st.tuples(WORDS, BLANKS), min_size=1, max_size=4).map(
    lambda parts: "".join(word + blank for word, blank in parts)
)
ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
PHONES = st.lists(st.sampled_from(["AH0", "t͡ʃ", "K"]), min_size=1).map(" ".join)


def sentences(words):
    """Return strategies for words with tags, joined by blanks."""
    pairs = st.lists(st.tuples(words, WORDS), min_size=1, max_size=4)
    return pairs.map(lambda both: tuple(map(" ".join, zip(*both, strict=True))))


def kept(text):
    """Return whether a text is more than white space and no byte order mark."""
    return bool(text.strip()) and not text.startswith("\ufeff")


# what each format can hold, with the options that read it without a guess
ROUND_TRIPS = {
    "tsv": (st.tuples(TEXTS, TEXTS), {"task": "translate", "columns": "1,2"}),
    "csv": (st.tuples(ANY, ANY), {"task": "classify", "columns": "1,2"}),
    "jsonl": (st.tuples(ANY, ANY), {"task": "translate", "columns": "text,label"}),
    "fasttext": (st.tuples(TEXTS, WORDS), {}),
    "conll": (sentences(WORDS), {"columns": "1,2"}),
    "conllu": (sentences(WORDS), {}),
    "dict": (st.tuples(st.text("a'-é", min_size=1), PHONES), {}),
}
NAMES = {"fasttext": "a.txt"}


@pytest.mark.parametrize("format", ROUND_TRIPS)
@given(data=st.data())
def test_what_is_written_is_read_again(format, data):
    texts, options = ROUND_TRIPS[format]
    sides = texts.filter(lambda both: kept(both[0]) and kept(both[1]))
    examples = [Example(*both) for both in data.draw(st.lists(sides, min_size=1))]
    columns = options.get("columns", "")

    written = "".join(write_examples(format, examples, columns=columns))
    found = read_examples(source(written, NAMES.get(format, f"a.{format}")), **options)

    assert found.format == format
    assert pairs(found) == pairs_of(examples)


@given(st.lists(st.tuples(TEXTS, TEXTS).filter(lambda both: all(map(kept, both)))))
def test_parallel_targets_are_read_again_beside_their_sources(pairs):
    pairs = [("first", "first"), *pairs]
    written = "".join(write_examples("parallel", [Example(*both) for both in pairs]))
    inputs = "".join(f"{text}\n" for text, _ in pairs)

    found = read_examples([source(inputs, "a.de"), source(written, "a.en")])

    assert [(one.source, one.target) for one in found.examples] == pairs


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", "go\tV;PST\twent\nbe\tV;PST\twas\n"),
        ("a.csv", "label,text,\r\nx,a,\r\ny,\"b, c\",\r\n"),
        ("a.jsonl", '{"tokens": ["New York", "!"], "tags": ["B", "O"]}\n'),
        ("a.jsonl", '{"title": "a", "body": "b\\nc", "stars": "5"}\n'),
        ("a.txt", "__label__x a b\n__label__y c\n"),
        ("a.conll", "U.N.\t_\t_\tB-ORG\n\nNew York\t_\t_\tB-LOC\nburns\t_\t_\tO\n\n"),
        ("a.conllu", "1\ta b\t_\t_\tNN\t_\t_\t_\t_\t_\n\n"),
        ("a.dict", "a  AH0\na(2)  EY1\nb  B IY1\n"),
    ],
)  # fmt: skip
def test_a_file_is_written_as_it_was(name, text):
    options = {
        "go": {"task": "translate", "columns": "1+2,3"},
        '{"': {"task": "classify", "columns": "title+body,stars"},
        "1\t": {"columns": "XPOS"},
    }.get(text[:2] if "tokens" not in text else "", {})

    found = read_examples(source(text, name), **options)
    layout = {"columns": found.columns, "header": found.header}

    assert "".join(write_examples(found.format, found.examples, **layout)) == text


EXAMPLES = st.lists(
    st.builds(Example, st.text("abc", max_size=3), st.text("xy", max_size=1)),
    min_size=2,
).filter(lambda examples: len({one.source for one in examples}) > 1)
SHARES = st.floats(0.01, 0.99)


@given(EXAMPLES, SHARES, st.integers(0, 9))
def test_a_split_keeps_equal_inputs_together_and_both_sides_filled(
    examples, share, seed
):
    train, valid = split(examples, share, seed)

    assert train
    assert valid
    assert not {one.source for one in train} & {one.source for one in valid}
    assert sorted(map(repr, train + valid)) == sorted(map(repr, examples))


@given(EXAMPLES, SHARES, st.randoms())
def test_a_split_does_not_depend_on_the_order(examples, share, chance):
    shuffled = chance.sample(examples, len(examples))

    sides = [split(some, share, 0) for some in (examples, shuffled)]

    assert [set(side) for side in sides[0]] == [set(side) for side in sides[1]]


def test_a_split_meets_its_share_and_differs_between_seeds():
    examples = [Example(f"text {n}", "x") for n in range(1000)]

    first, second = (split(examples, 0.1, seed)[1] for seed in (0, 1))

    assert len(first) == len(second) == 100
    # 10 are expected; with 40 or more, the chance is below 1e-12
    assert len(set(first) & set(second)) < 40


def test_a_split_keeps_the_order_of_the_file():
    examples = [Example(f"text {n}", "x", n) for n in range(100)]

    for side in split(random.Random(0).sample(examples, 100), 0.3, 0):
        assert len(side) in (30, 70)
    for side in split(examples, 0.3, 0):
        assert side == sorted(side, key=lambda one: one.line)


def pairs(labelled):
    return pairs_of(labelled.examples)


def pairs_of(examples):
    return [(one.source, one.target) for one in examples]


CUT_UP = st.lists(
    st.sampled_from(
        [
            *"a\t\n\r ,;\"'{}[]#+:_1",
            "\n\n",
            "__label__",
            '{"text": "a", "label": ',
            "1}",
        ]
        + [
            "1\ta\t_\tX\tX\t_\t_\t_\t_\t_\n",
            "-DOCSTART-",
            "text",
            "label",
            "\u00a0",
            "é",
        ]
    ),
    max_size=40,
).map("".join)
ANYTHING = st.one_of(st.binary(max_size=60), CUT_UP.map(str.encode))


@example([b"\0", b"\x80"], "txt", "", "")  # only the second is not UTF-8
@example(["\u4e2d".encode(), b"\x80"], "txt", "translate", "")
@given(
    st.lists(ANYTHING, min_size=1, max_size=2),
    st.sampled_from(["tsv", "csv", "jsonl", "txt", "conll", "conllu", "dict", "de"]),
    st.sampled_from(["", "classify", "tag", "translate"]),
    st.sampled_from(["", "1,2", "2,1", "1+2,3", "text,label", "XPOS", "a+b,a"]),
)
def test_any_file_is_read_or_refused_with_a_hint(files, suffix, task, columns):
    sources = [source(data, f"a.{suffix}") for data in files]
    found, hint = None, ""
    try:
        found = read_examples(sources, task=task, columns=columns)
    except CharRNNError as error:
        hint = error.hint

    assert bool(found) != bool(hint)
    if not found:
        return
    assert found.examples
    assert all(kept(one.source) and kept(one.target) for one in found.examples)
    assert found.task == (task or found.task)
    layout = {"columns": found.columns, "header": found.header}
    with contextlib.suppress(CharRNNError):  # what one format holds another may not
        list(write_examples(found.format, found.examples, **layout))
