"""The token store: parts as token ids, for any block size."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import LINES, MODES, char_tokenizer, read, source, texts_of, write

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import TokenStore
from charrnn.errors import ModelFileError, NotFoundError, TextError
from charrnn.text.sources import find_sources


@pytest.mark.parametrize("valid", [[], [LINES[-200:], "é\n\n7"]], ids=["cut", "given"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", ["char", "byte", "word"])
def test_store_does_not_depend_on_the_block_size(tmp_path, level, mode, valid):
    text = LINES.replace("7\n", "\n\n--\n")
    # 64 bytes, not 7: a block of words is cut at a space
    small, whole = (
        write(
            tmp_path / str(block_bytes),
            text,
            valid=valid,
            level=level,
            documents=mode,
            block_bytes=block_bytes,
        )[0]
        for block_bytes in (64 if level == "word" else 7, 1 << 18)
    )

    for one, other in [(small.train, whole.train), (small.valid, whole.valid)]:
        for name in ("tokens", "starts", "lengths"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.words, one.bytes) == (other.words, other.bytes)
    assert small.survey == whole.survey
    assert small.leaked == whole.leaked


@pytest.mark.parametrize("mode", MODES)
def test_a_training_part_decodes_to_its_documents(tmp_path, mode):
    text = LINES.replace("7\n", "\n\n--\n")

    store, tokenizer = write(tmp_path, text, valid=[text], documents=mode)

    assert texts_of(store.train, tokenizer) == read(text, mode=mode)
    assert texts_of(store.valid, tokenizer) == read(text, mode=mode)
    assert store.leaked == len(store.valid.starts)


@pytest.mark.parametrize("mode", MODES)
def test_parts_add_up_to_the_survey(tmp_path, mode):
    store, _ = write(tmp_path, LINES.replace("7\n", "\n\n--\n"), documents=mode)

    for name in ("characters", "bytes"):
        total = getattr(store.train, name) + getattr(store.valid, name)
        assert total == getattr(store.survey, name)


@settings(max_examples=10)  # each writes seven files
@given(st.binary(min_size=30, max_size=60))
def test_byte_level_takes_any_bytes(tmp_path_factory, data):
    store, tokenizer = write(
        tmp_path_factory.mktemp("store"), data, valid=[b"a"], level="byte"
    )

    assert store.train.bytes == len(data)
    assert tokenizer.decode_bytes(store.train.tokens) == data


def test_every_whole_document_opens_and_closes_with_a_boundary(tmp_path):
    lines = [f"{n:02}" * (n % 3 + 1) for n in range(40)]

    store, tokenizer = write(tmp_path, "\n".join(lines), documents="line")

    for part in (store.train, store.valid):
        expected = [[0]]
        for text in texts_of(part, tokenizer):
            expected.append([*tokenizer.encode(text).tolist(), 0])
        assert part.tokens.tolist() == list(itertools.chain(*expected))
        assert (part.tokens[part.starts] == 0).all()
        assert (part.tokens[part.starts + part.lengths] == 0).all()
        assert part.targets == len(part.tokens) - 1


@pytest.mark.parametrize(
    ("vocab_size", "name"),
    [(256, "uint8"), (257, "uint16"), (65_536, "uint16"), (65_537, "uint32")],
)
def test_tokens_take_the_smallest_integer_that_fits(tmp_path, vocab_size, name):
    # minus boundary and unknown; code points from 0x20000 on include no surrogates
    characters = [chr(0x20000 + n) for n in range(vocab_size - 2)]
    tokenizer = char_tokenizer(characters)
    corpus = Corpus([source("".join(characters[-10:]))], CorpusConfig())

    store = corpus.write_store(tokenizer, tmp_path)

    assert store.train.tokens.dtype.name == name
    assert store.valid.tokens[-2] == vocab_size - 1


def test_a_store_opens_with_the_content_written(tmp_path):
    written, _ = write(tmp_path, LINES, documents="line")

    opened = TokenStore.open(tmp_path)

    assert opened.survey == written.survey
    assert (opened.learns_end, opened.leaked) == (True, 0)
    assert opened.vocab_size == written.vocab_size
    np.testing.assert_array_equal(opened.train.tokens, written.train.tokens)


def test_a_store_without_its_files_is_not_found(tmp_path):
    with pytest.raises(NotFoundError, match=r"store\.json"):
        TokenStore.open(tmp_path)


@pytest.mark.parametrize("name", ["store.json", "train.tokens", "valid.starts"])
def test_a_store_cut_short_is_refused(tmp_path, name):
    write(tmp_path, LINES)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(ModelFileError, match="damaged"):
        TokenStore.open(tmp_path)


def test_a_corpus_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "corpus.txt"
    for mode in ("file", "line"):
        path.write_text(LINES)
        corpus = Corpus(find_sources([str(path)]), CorpusConfig(mode))
        tokenizer = char_tokenizer(corpus.training_texts())
        path.write_text(LINES + LINES)

        with pytest.raises(TextError, match="changed while it was read"):
            corpus.write_store(tokenizer, tmp_path / "store")

    assert not list((tmp_path / "store").iterdir())


def test_a_part_without_targets_is_a_text_error(tmp_path):
    with pytest.raises(TextError, match="validation part has 0 characters") as caught:
        write(tmp_path, "abc", valid=[""])

    assert caught.value.exit_code == 4


@pytest.mark.parametrize("size", [*range(12), 19, 20, 21, 100])
@pytest.mark.parametrize("mode", ["file", "line"])
def test_tiny_corpora_make_a_store_or_report_the_minimum_size(tmp_path, size, mode):
    text = "".join(f"{chr(ord('a') + n)}\n" for n in range(size // 2)) + "z" * (
        size % 2
    )

    characters = len(text) if mode == "file" else len(text.replace("\n", ""))
    if characters < 3:
        with pytest.raises(TextError, match=f"has {characters} characters, but"):
            write(tmp_path, text, documents=mode)
        return
    store, _ = write(tmp_path, text, documents=mode)

    assert store.train.targets >= 2
    assert store.valid.targets >= 1


def test_a_store_can_be_written_twice(tmp_path):
    corpus = Corpus([source(LINES)], CorpusConfig("line"))
    tokenizer = char_tokenizer(corpus.training_texts())

    first, second = (
        corpus.write_store(tokenizer, tmp_path / name) for name in ("first", "second")
    )

    assert first.survey == second.survey == corpus.survey()
    np.testing.assert_array_equal(first.valid.tokens, second.valid.tokens)
