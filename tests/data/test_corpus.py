"""The corpus: its survey, and its training and validation part."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import LINES, MODES, source, texts_of, write

from charrnn.data import corpus as corpus_module
from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.errors import TextError
from charrnn.text.sources import find_sources

# Survey


def test_survey_counts_documents_without_what_parts_them():
    # "é b", "c" and "d  e": 8 characters, 9 bytes, 5 words
    survey = Corpus([source("é b\nc\r\n\nd  e")], CorpusConfig("line")).survey()

    assert (survey.characters, survey.bytes) == (8, 9)
    assert (survey.words, survey.documents) == (5, 3)


@given(st.text(min_size=3), st.integers(4, 12))
def test_words_are_counted_as_split_does(text, block_bytes):
    data = text.encode("utf-8", "surrogatepass")
    corpus = Corpus([source(data)], CorpusConfig(), raw=True, block_bytes=block_bytes)
    decoded = data.decode("utf-8", "surrogateescape")

    assert corpus.survey().words == len(decoded.split())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("block_bytes", [4, 7, 50])
def test_survey_does_not_depend_on_the_block_size(mode, block_bytes):
    text = LINES.replace("7\n", "\n\n--\n")
    config = CorpusConfig(mode)

    small = Corpus([source(text)], config, block_bytes=block_bytes).survey()

    assert small == Corpus([source(text)], config).survey()


def test_sha256_is_that_of_the_content_not_of_the_file(tmp_path):
    plain, packed = tmp_path / "a.txt", tmp_path / "b.gz"
    plain.write_text(LINES)
    packed.write_bytes(gzip.compress(LINES.encode()))

    sha256s = {
        Corpus(find_sources([str(path)]), CorpusConfig()).survey().sha256
        for path in (plain, packed)
    }

    assert len(sha256s) == 1


def test_sha256_tells_where_documents_end_and_which_validate():
    texts = [(["a\nb", "c"], "line", []), (["a\nb\nc"], "file", [])]
    texts += [(["a\nb", "c"], "file", []), (["a", "b\nc"], "file", [])]
    texts += [(["a\nb"], "line", ["c"]), (["a"], "line", ["b\nc"])]

    sha256s = {
        Corpus(
            [source(text) for text in train],
            CorpusConfig(mode),
            valid_sources=[source(text) for text in valid],
        )
        .survey()
        .sha256
        for train, mode, valid in texts
    }

    assert len(sha256s) == len(texts)


@pytest.mark.parametrize("text", ["", "a", "ab", "\n\n\n"])
def test_a_corpus_too_small_names_its_size_and_the_least(text):
    found = len(text.strip())

    with pytest.raises(TextError, match=f"has {found} characters, but"):
        Corpus([source(text)], CorpusConfig("line")).survey()


# Split


def test_one_document_is_cut_at_its_last_tenth(tmp_path):
    text = "".join(chr(ord("a") + n % 26) for n in range(1000))

    store, tokenizer = write(tmp_path, text)

    assert texts_of(store.train, tokenizer) == [text[:900]]
    assert texts_of(store.valid, tokenizer) == [text[900:]]
    assert (store.train.characters, store.valid.characters) == (900, 100)


def test_a_cut_inside_a_document_leaves_no_end_and_opens_one(tmp_path):
    # 10 characters, 5 train: ab, cde | fg, hij
    store, tokenizer = write(
        tmp_path, "ab\ncdefg\nhij", documents="line", valid_frac=0.5
    )

    a, b, c, d, e = tokenizer.encode("abcde").tolist()
    unknown = tokenizer.unknown
    assert store.train.tokens.tolist() == [0, a, b, 0, c, d, e]
    assert store.train.starts.tolist() == [0, 3]
    assert store.train.lengths.tolist() == [3, 3]
    assert store.valid.tokens.tolist() == [0, *[unknown] * 2, 0, *[unknown] * 3, 0]
    assert store.valid.starts.tolist() == [0, 3]
    assert store.valid.lengths.tolist() == [2, 3]
    assert store.valid.unknown == 5


def test_a_cut_between_documents_cuts_none(tmp_path):
    store, tokenizer = write(tmp_path, "abc\nabc", documents="line", valid_frac=0.5)

    assert store.train.lengths.tolist() == [4]
    assert store.valid.lengths.tolist() == [3]
    assert store.leaked == 1


def test_ends_are_validated_from_twenty_documents_on(tmp_path):
    lines = [f"{n:02}" for n in range(20)]

    few, _ = write(tmp_path / "few", "\n".join(lines[:19]), documents="line")
    many, _ = write(tmp_path / "many", "\n".join(lines), documents="line")

    assert (few.learns_end, many.learns_end) == (False, True)
    assert set(many.valid.lengths.tolist()) == {3}
    # 38 characters, 34 train: 17 whole lines
    assert few.train.lengths.tolist() == [3] * 17
    assert few.valid.lengths.tolist() == [2] * 2


def test_the_hash_split_takes_the_share_that_was_asked_for(tmp_path):
    text = "\n".join(f"line {n}" for n in range(1000))

    store, _ = write(tmp_path, text, documents="line", valid_frac=0.2)

    # hashes of 16 bits: a step of the limit may take some documents at once
    assert abs(len(store.valid.starts) - 200) <= 2
    assert len(store.train.starts) + len(store.valid.starts) == 1000


def test_the_hash_split_does_not_depend_on_the_order(tmp_path):
    lines = LINES.split()
    stores = [
        write(tmp_path / name, "\n".join(some), documents="line")
        for name, some in [("up", lines), ("down", lines[::-1])]
    ]

    up, down = (sorted(texts_of(store.valid, tok)) for store, tok in stores)

    assert up == down


def test_the_hash_split_depends_on_the_seed(tmp_path):
    text = "\n".join(f"{n:03}" for n in range(200))

    parts = {
        tuple(texts_of(store.valid, tokenizer))
        for store, tokenizer in (
            write(tmp_path / str(seed), text, documents="line", seed=seed)
            for seed in range(5)
        )
    }

    assert len(parts) == 5


def test_equal_documents_land_together(tmp_path):
    text = "\n".join(f"{n % 50:02}" for n in range(500))

    store, tokenizer = write(tmp_path, text, documents="line")

    train = set(texts_of(store.train, tokenizer))
    valid = set(texts_of(store.valid, tokenizer))
    assert len(train | valid) == 50
    assert not train & valid
    assert store.leaked == 0


def test_share_that_leaves_nothing_to_train_on_is_named():
    corpus = Corpus([source("abcde" * 4000)], CorpusConfig(valid_frac=0.99999))

    with pytest.raises(TextError, match="`valid_frac` 0.99999, too few of the 20,000"):
        corpus.survey()


@pytest.mark.parametrize("valid_frac", [1e-9, 0.1, 0.999999])
def test_the_hash_split_leaves_no_part_empty(tmp_path, valid_frac):
    text = "\n".join(f"{n:02}" for n in range(20))

    store, _ = write(tmp_path, text, documents="line", valid_frac=valid_frac)

    assert len(store.train.starts) >= 1
    assert len(store.valid.starts) >= 1


def test_copies_of_few_documents_are_cut_at_the_end(tmp_path):
    store, _ = write(tmp_path, "yes\nno\n" * 50, documents="line")

    # 250 characters, 225 train: 45 pairs of lines
    assert (len(store.train.starts), len(store.valid.starts)) == (90, 10)
    assert store.learns_end
    assert store.leaked == 10


@pytest.mark.parametrize("block_bytes", [4, 7, 1000])
def test_leaks_are_documents_that_stand_in_both_parts(tmp_path, block_bytes):
    store, _ = write(
        tmp_path,
        "one line\nanother\nthird",
        valid=["third\nsecond\none line\nthird\none"],
        documents="line",
        block_bytes=block_bytes,
    )

    assert store.leaked == 3


def test_validation_texts_replace_the_split(tmp_path):
    store, tokenizer = write(tmp_path, "abcabc", "cba", valid=["bc"])

    assert texts_of(store.train, tokenizer) == ["abcabc", "cba"]
    assert texts_of(store.valid, tokenizer) == ["bc"]
    # ends of whole documents are learned, but with few documents not validated
    assert store.train.lengths.tolist() == [7, 4]
    assert store.valid.lengths.tolist() == [2]


@pytest.mark.parametrize("documents", ["file", "line"])
def test_large_corpora_hold_out_no_more_than_is_needed(
    tmp_path: Path, documents: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "MOST_VALID", 300)
    text = "".join(f"line {k}\n" for k in range(3000))

    store, _ = write(tmp_path, text, documents=documents)

    assert store.valid.characters == pytest.approx(300, rel=0.1)


def test_share_that_is_asked_for_is_held_out_of_large_corpora_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "MOST_VALID", 300)

    store, _ = write(tmp_path, "0123456789" * 1000, valid_frac=0.2)

    assert store.valid.characters == 2000
