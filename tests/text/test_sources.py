"""Sources: documents of any block size, compressed files, and invalid bytes."""

import bz2
import gzip
import io
import lzma
import os
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import LINES, MODES, read, source

from charrnn.errors import NotFoundError, ResourceError, TextError
from charrnn.text.documents import documents
from charrnn.text.sources import find_sources

# Documents


def test_a_file_is_one_document_with_its_last_line_end():
    assert read("one\n\ntwo\n", "three") == ["one\n\ntwo\n", "three"]


def test_a_line_ends_at_a_line_feed_with_or_without_carriage_return():
    assert read("a\nb\r\n\n\r\nc d\re\r\n", mode="line") == ["a", "b", "c d\re"]


def test_a_line_does_not_end_at_other_separators():
    text = "a\u2028b\x85c\x0bd"

    assert read(text, mode="line") == [text]


def test_blank_lines_separate_documents():
    text = " \n\n  first\nline\n \t\n\n\nsecond\r\n\r\nthird\n\n"

    assert read(text, mode="blank") == ["  first\nline", "second", "third"]


def test_the_line_ends_around_a_separator_are_dropped():
    assert read("a\n--\nb\r\n--\r\n--c--d\n", mode="--") == ["a", "b", "c", "d"]


def test_further_line_ends_around_a_separator_stay():
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
def test_compressed_files_read_like_plain_ones(tmp_path, suffix, compress):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(compress(LINES.encode()))

    assert "".join(find_sources([str(path)])[0].text()) == LINES


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
@pytest.mark.parametrize("damage", ["truncated", "not compressed", "garbled"])
def test_damaged_compressed_files_are_text_errors(tmp_path, suffix, compress, damage):
    data = bytearray(compress(LINES.encode()))
    data[len(data) // 2] ^= 0xFF if damage == "garbled" else 0
    if damage == "not compressed":
        data[:] = b"plain text"
    path = tmp_path / f"text{suffix}"
    path.write_bytes(data[:-9] if damage == "truncated" else data)

    with pytest.raises(TextError, match=re.escape(str(path))):
        list(find_sources([str(path)])[0].text())


def test_a_folder_is_its_visible_files_sorted_by_path(tmp_path):
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


def test_a_missing_file_is_named_from_a_deleted_folder(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(NotFoundError, match="nosuch does not exist") as caught:
        find_sources(["nosuch"])

    assert "was deleted" in caught.value.hint


def test_stdin_can_be_read_twice(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\r\nb")))

    (stdin,) = find_sources(["-"])

    assert list(stdin.text()) == list(stdin.text()) == ["a\r\nb", ""]


@pytest.mark.parametrize("block_bytes", [4, 5, 6, 7, 1000])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_an_invalid_byte_is_named_with_its_offset(block_bytes, start):
    data = start + "é€".encode() * 5 + b"caf\xe9 au lait"
    offset = len(start) + 5 * 5 + 3
    message = f"corpus.txt is not UTF-8: byte 0xe9 at offset {offset}"

    with pytest.raises(TextError, match=message) as caught:
        list(source(data).text(block_bytes=block_bytes))

    assert "iconv" in caught.value.hint
    assert "or train with `level` byte" in caught.value.hint


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
