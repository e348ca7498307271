import bz2
import gzip
import io
import itertools
import lzma
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn import tokenizers
from charrnn.config import CorpusConfig, TokenizerConfig
from charrnn.corpus import Corpus
from charrnn.errors import ModelFileError, NotFoundError, ResourceError, TextError
from charrnn.sources import Source, documents, find_sources
from charrnn.store import Part, TokenStore
from charrnn.tokenizers import Tokenizer

MODES = ["file", "line", "blank", "--", "\n%\n"]
LINES = "".join(f"line {n} of é{n * n}\n" for n in range(60))


def source(text: str | bytes, name: str = "corpus.txt") -> Source:
    return Source(name, text.encode() if isinstance(text, str) else text)


def read(*texts: str | bytes, mode: str = "file", block_bytes: int = 1000) -> list[str]:
    """Return the documents of some files, each put together."""
    whole: list[str] = []
    goes_on = False
    blocks = documents(map(source, texts), mode, block_bytes=block_bytes)
    for pieces, is_open in blocks:
        if goes_on:
            whole[-1] += pieces.pop(0)
        whole += pieces
        goes_on = is_open
    assert not goes_on
    return whole


def char_tokenizer(texts) -> Tokenizer:
    return tokenizers.fit(texts, TokenizerConfig(level="char", min_count=1))


def write(folder: Path, *texts, valid=(), level="char", block_bytes=1 << 18, **config):
    """Return the store of some texts with a tokenizer learned from them."""
    corpus = Corpus(
        [source(text) for text in texts],
        CorpusConfig(**config),
        raw=level == "byte",
        valid_sources=[source(text) for text in valid],
        block_bytes=block_bytes,
    )
    tokenizer = tokenizers.fit(
        corpus.training_texts(), TokenizerConfig(level=level, min_count=1)
    )
    return corpus.write_store(tokenizer, folder), tokenizer


def texts_of(part: Part, tokenizer: Tokenizer) -> list[str]:
    """Return what the targets of each document say; the end says nothing."""
    pairs = zip(part.starts.tolist(), part.lengths.tolist(), strict=True)
    targets = [part.tokens[start + 1 : start + 1 + length] for start, length in pairs]
    return [
        tokenizer.decode_bytes(ids).decode("utf-8", "surrogateescape")
        for ids in targets
    ]


# Documents


def test_a_file_is_one_document_with_its_last_line_end():
    assert read("one\n\ntwo\n", "three") == ["one\n\ntwo\n", "three"]


def test_a_line_ends_at_a_line_feed_with_or_without_carriage_return():
    assert read("a\nb\r\n\n\r\nc d\re\r\n", mode="line") == ["a", "b", "c d\re"]


def test_a_line_does_not_end_at_other_separators():
    text = "a\u2028b\x85c\x0bd"

    assert read(text, mode="line") == [text]


def test_blank_lines_part_documents():
    text = " \n\n  first\nline\n \t\n\n\nsecond\r\n\r\nthird\n\n"

    assert read(text, mode="blank") == ["  first\nline", "second", "third"]


def test_a_separator_takes_the_line_ends_around_it_along():
    assert read("a\n--\nb\r\n--\r\n--c--d\n", mode="--") == ["a", "b", "c", "d"]


def test_a_separator_leaves_further_line_ends_alone():
    assert read("a\n\n--\n\nb", mode="--") == ["a\n", "\nb"]


def test_documents_end_where_files_end():
    assert read("a\nb", "c", mode="line") == ["a", "b", "c"]


@given(
    st.text("ab-%\n\r \té", max_size=60),
    st.sampled_from(MODES),
    st.integers(1, 12),
)
def test_documents_do_not_depend_on_the_block_size(text, mode, block_bytes):
    assert read(text, mode=mode, block_bytes=block_bytes) == read(text, mode=mode)


@given(st.text("ab-\n\r é", max_size=60), st.integers(1, 12))
def test_no_piece_of_a_document_is_empty(text, block_bytes):
    blocks = documents([source(text)], "--", block_bytes=block_bytes)

    assert all(pieces and all(pieces) for pieces, _ in blocks)


def test_pieces_of_a_long_document_end_after_a_line_end():
    text = "one line\n" * 50

    blocks = documents([source(text)], block_bytes=100)

    assert all(pieces[-1].endswith("\n") for pieces, _ in blocks)


def test_pieces_of_a_long_line_end_before_a_space():
    text = "word  and another word" * 50

    pieces = [texts[0] for texts, _ in documents([source(text)], block_bytes=100)]

    assert all(piece[-1] != " " for piece in pieces)
    assert all(piece[0] == " " for piece in pieces[1:])


# Sources


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_compressed_files_read_as_plain_ones(tmp_path, suffix, compress):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(compress(LINES.encode()))

    assert "".join(find_sources([str(path)])[0].text()) == LINES


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
@pytest.mark.parametrize("damage", ["cut short", "not compressed", "garbled"])
def test_damaged_compressed_files_are_text_errors(tmp_path, suffix, compress, damage):
    data = bytearray(compress(LINES.encode()))
    data[len(data) // 2] ^= 0xFF if damage == "garbled" else 0
    if damage == "not compressed":
        data[:] = b"plain text"
    path = tmp_path / f"text{suffix}"
    path.write_bytes(data[:-9] if damage == "cut short" else data)

    with pytest.raises(TextError, match=re.escape(str(path))):
        list(find_sources([str(path)])[0].text())


def test_a_folder_is_its_files_by_path_without_hidden_ones(tmp_path):
    for name in ("b.txt", "a/2.txt", "a/1.txt", ".hidden", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)

    found = find_sources([str(tmp_path)])

    assert ["".join(one.text()) for one in found] == ["a/1.txt", "a/2.txt", "b.txt"]


def test_an_empty_folder_is_a_text_error(tmp_path):
    with pytest.raises(TextError, match="folder without files"):
        find_sources([str(tmp_path)])


def test_a_missing_file_is_named():
    with pytest.raises(NotFoundError, match=r"no/such\.txt does not exist"):
        find_sources(["no/such.txt"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_a_resource_error(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("text")
    path.chmod(0)

    with pytest.raises(ResourceError, match="Permission denied"):
        list(find_sources([str(path)])[0].text())


def test_stdin_can_be_read_twice(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\r\nb")))

    (stdin,) = find_sources(["-"])

    assert list(stdin.text()) == list(stdin.text()) == ["a\r\nb", ""]


@pytest.mark.parametrize("block_bytes", [4, 5, 6, 7, 1000])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_wrong_byte_is_named_with_its_offset(block_bytes, start):
    data = start + "é€".encode() * 5 + b"caf\xe9 au lait"
    offset = len(start) + 5 * 5 + 3
    message = f"corpus.txt is not UTF-8: byte 0xe9 at offset {offset}"

    with pytest.raises(TextError, match=message) as caught:
        list(source(data).text(block_bytes=block_bytes))

    assert "iconv" in caught.value.hint
    assert "--level byte" in caught.value.hint


def test_an_offset_has_thousands_separators():
    with pytest.raises(TextError, match="byte 0xff at offset 10,233$"):
        list(source(b"a" * 10_233 + b"\xff").text())


def test_a_text_that_ends_inside_a_character_is_not_utf8():
    with pytest.raises(TextError, match="byte 0xe2 at offset 2$"):
        list(source(b"ab\xe2\x82").text())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_of_another_encoding_is_named(encoding):
    with pytest.raises(TextError, match=f"is {encoding.upper()}, not") as caught:
        list(source("text".encode(encoding)).text())

    assert f"iconv -f {encoding}" in caught.value.hint


def test_a_byte_order_mark_is_dropped_at_the_start_of_each_file_only():
    assert read("\ufeffa\ufeff", "\ufeffb") == ["a\ufeff", "b"]


@given(st.binary(max_size=40), st.integers(1, 12))
def test_raw_text_gives_back_any_bytes(data, block_bytes):
    text = "".join(source(data).text(raw=True, block_bytes=block_bytes))

    assert text.encode("utf-8", "surrogateescape") == data


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

    with pytest.raises(TextError, match=f"has {found} characters; the least is 3"):
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


# Store


@pytest.mark.parametrize("valid", [[], [LINES[-200:], "é\n\n7"]], ids=["cut", "given"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("level", ["char", "byte", "word"])
def test_store_does_not_depend_on_the_block_size(tmp_path, level, mode, valid):
    text = LINES.replace("7\n", "\n\n--\n")
    # 64 bytes, not 7: words need a space in a block to be cut there
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


@settings(max_examples=10)  # each flushes seven files to the disk
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
    # boundary and unknown are two; code points from 0x20000 on are no surrogates
    characters = [chr(0x20000 + n) for n in range(vocab_size - 2)]
    tokenizer = char_tokenizer(characters)
    corpus = Corpus([source("".join(characters[-10:]))], CorpusConfig())

    store = corpus.write_store(tokenizer, tmp_path)

    assert store.train.tokens.dtype.name == name
    assert store.valid.tokens[-2] == vocab_size - 1


def test_a_store_opens_as_it_was_written(tmp_path):
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
def test_tiny_corpora_make_a_store_or_name_the_least_size(tmp_path, size, mode):
    text = "".join(f"{chr(ord('a') + n)}\n" for n in range(size // 2)) + "z" * (
        size % 2
    )

    characters = len(text) if mode == "file" else len(text.replace("\n", ""))
    if characters < 3:
        with pytest.raises(TextError, match=f"has {characters} .* the least is 3"):
            write(tmp_path, text, documents=mode)
        return
    store, _ = write(tmp_path, text, documents=mode)

    assert store.train.targets >= 2
    assert store.valid.targets >= 1
