"""`charrnn tokenize`: the report, saved tokenizers, encoding and decoding."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TEXT, random_model, save_run
from hypothesis import given
from hypothesis import strategies as st

from charrnn.cli.tokenize import token_text as pieces
from charrnn.tokenizers.byte import ByteTokenizer

LEVELS = ("char", "byte", "word", "subword")
KEYS = (
    *("level", "bytes", "characters", "distinct", "words", "tokens", "unknown"),
    *("vocabulary", "bytes_per_token", "line_ends", "invalid_bytes"),
    *("invalid_offset", "rarest", "vocabulary_head", "order0_bits_per_token"),
    "order0_bits_per_char",
)
STRANGE = (
    "a  b\n\n▁ \\ \\x41 <UNK> \\<UNK> \u2028 \x85\xa0\t\x00\x1b[0m\r\n"
    "Größe 水 👩‍👩‍👧 e\u0301\n no newline at the end"
)


@pytest.mark.parametrize("form", ["pieces", "ids"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("text", [STRANGE, STRANGE + "\n", "\n", "x"])
def test_decoding_restores_the_encoded_bytes(
    charrnn: Any, level: str, form: str, text: str
) -> None:
    data = text.encode()
    Path("learn").write_bytes(data + b"\n" + TEXT.encode() * 50)
    options = ("--level", level, "--min-count", "1")
    assert charrnn("tokenize", "learn", *options, "-o", "t.json").exit_code == 0
    filters = ("--tokenizer", "t.json", "--as", form)

    encoded = charrnn("tokenize", "--encode", *filters, input=data)
    decoded = charrnn("tokenize", "--decode", *filters, input=encoded.stdout_bytes)

    assert encoded.stdout_bytes.count(b"\n") == text.count("\n")
    assert decoded.stdout_bytes == data


@pytest.mark.parametrize("form", ["pieces", "ids"])
def test_symbols_come_back_with_single_blanks(charrnn: Any, form: str) -> None:
    Path("learn").write_bytes(b" the cat <unk> \n \n")
    charrnn("tokenize", "learn", "--level", "symbol", "-o", "t.json")
    filters = ("--tokenizer", "t.json", "--as", form)

    encoded = charrnn(
        "tokenize", "--encode", *filters, input=b" the  dog cat \n\nthe\n"
    )
    decoded = charrnn("tokenize", "--decode", *filters, input=encoded.stdout_bytes)

    assert decoded.stdout_bytes == b"the <unk> cat\n\nthe\n"


def test_bytes_that_are_not_utf8_survive_at_byte_level(
    charrnn: Any, bare_setting: Path
) -> None:
    save_run(random_model("byte"), "byte-001")
    data = bytes(range(256)) * 2

    encoded = charrnn("tokenize", "--encode", input=data)
    decoded = charrnn("tokenize", "--decode", input=encoded.stdout_bytes)

    assert decoded.stdout_bytes == data


@given(st.binary())
def test_a_piece_is_one_word_that_spells_its_bytes(data: bytes) -> None:
    class Whole(ByteTokenizer):
        def token_bytes(self, token: int) -> bytes:
            return data

    word = pieces.piece(Whole(), 1)

    assert pieces.piece_bytes(word) == data
    assert len(word.split()) == bool(data)


def test_lost_unknown_characters_are_counted(charrnn: Any, char_run: Path) -> None:
    result = charrnn("tokenize", "--encode", input="the Zebra\n")

    assert result.stdout == "t h e ▁ <UNK> e b r a\n"
    assert "the text of 1 unknown token is lost" in result.stderr


def test_encode_as_ids_writes_a_line_of_numbers_per_line(
    charrnn: Any, char_run: Path
) -> None:
    model = random_model()
    args = ("tokenize", "--encode", "--as", "ids", "-m", "runs/names-001")

    lines = charrnn(*args, input="the\n\nfox\n").stdout.split("\n")

    expected = [" ".join(map(str, model.tokenizer.encode(t))) for t in ("the", "fox")]
    assert lines == [expected[0], "", expected[1], ""]


def test_encode_as_json_has_text_ids_and_pieces(charrnn: Any, char_run: Path) -> None:
    result = charrnn("tokenize", "--encode", "--json", input="a b\n")

    (one,) = map(json.loads, result.stdout.splitlines())
    ids = random_model().tokenizer.encode("a b").tolist()
    assert one == {"text": "a b", "ids": ids, "pieces": ["a", " ", "b"]}


@pytest.mark.parametrize("word", ["x", "-1", "9999999", "1_0", "²", "1.5"])
def test_invalid_id_is_reported_with_its_line(
    charrnn: Any, char_run: Path, word: str
) -> None:
    result = charrnn("tokenize", "--decode", "--as", "ids", input=f"1 2\n3 {word}\n")

    assert result.exit_code == 4
    assert f'line 2: "{word}" is not an id' in result.stderr


def test_half_a_character_is_reported_with_its_line(
    charrnn: Any, char_run: Path
) -> None:
    result = charrnn("tokenize", "--decode", input="t h e\nx \\ud800\n")

    assert result.exit_code == 4
    assert "line 2: \\ud800 is half of a surrogate pair" in result.stderr


def test_report_counts_the_corpus(charrnn: Any) -> None:
    Path("a.txt").write_bytes(b"aab\r\nb\r\n")
    Path("b.txt").write_bytes("aé\n".encode())

    one = json.loads(charrnn("tokenize", "a.txt", "b.txt", "--json").stdout)

    assert tuple(one) == KEYS
    assert (one["bytes"], one["characters"], one["words"]) == (12, 11, 3)
    assert one["line_ends"] == {"CRLF": 2, "LF": 1}
    assert one["distinct"] == 5  # a b é CR LF
    assert one["rarest"][0] == {"text": "é", "count": 1}
    assert one["unknown"] == 1  # é, seen once
    assert one["vocabulary"] == 2 + 4
    # counts 3 a, 3 LF, 2 b, 2 CR, 1 unknown of 11
    assert one["order0_bits_per_token"] == pytest.approx(2.2313, abs=1e-4)


def test_report_locates_the_first_invalid_byte(charrnn: Any) -> None:
    Path("latin.txt").write_bytes("é".encode() + b"caf\xe9 \xff")

    result = charrnn("tokenize", "latin.txt")

    assert "invalid bytes    2, the first at offset 5 of latin.txt" in result.stdout
    assert "--level byte" in result.stderr
    one = json.loads(charrnn("tokenize", "latin.txt", "--json").stdout)
    assert (one["invalid_bytes"], one["invalid_offset"]) == (2, 5)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_a_report(charrnn: Any, level: str) -> None:
    Path("a.txt").write_text(TEXT * 50)

    result = charrnn("tokenize", "a.txt", "--level", level)

    assert result.exit_code == 0
    assert f"at {level} level" in result.stdout
    assert len(result.stdout.splitlines()) == 11


def test_empty_corpus_is_refused(charrnn: Any) -> None:
    Path("a.txt").write_text("")

    assert charrnn("tokenize", "a.txt").exit_code == 4
    assert charrnn("tokenize", "a.txt", "--level", "byte").exit_code == 4


def test_saved_tokenizer_is_reported_and_a_dash_writes_it_to_stdout(
    charrnn: Any,
) -> None:
    Path("a.txt").write_text(TEXT)

    result = charrnn("tokenize", "a.txt", "-o", "t.json")

    assert "saved t.json" in result.stderr
    printed = charrnn("tokenize", "a.txt", "-o", "-").stdout
    assert json.loads(printed) == json.loads(Path("t.json").read_text())


@pytest.mark.parametrize("read", ["a.txt", "."])
def test_tokenizer_does_not_replace_its_text(charrnn: Any, read: str) -> None:
    Path("a.txt").write_text(TEXT)

    result = charrnn("tokenize", read, "-o", "a.txt")

    assert result.exit_code == 2
    assert "--out a.txt is also an input" in result.stderr
    assert Path("a.txt").read_text() == TEXT


def test_a_sentencepiece_model_is_a_tokenizer(charrnn: Any) -> None:
    model = random_model("subword", text=TEXT * 50)
    Path("m.model").write_bytes(model.tokenizer._model)  # type: ignore[attr-defined]

    result = charrnn(
        "tokenize", "--encode", "--as", "ids", "--tokenizer", "m.model", input="the fox"
    )

    assert result.stdout == " ".join(map(str, model.tokenizer.encode("the fox")))


@pytest.mark.parametrize("content", ["", "{}", '{"level": "char"}', "[[", "\0\1\2"])
def test_file_without_a_tokenizer_is_refused(charrnn: Any, content: str) -> None:
    Path("t.json").write_text(content)

    result = charrnn("tokenize", "--encode", "--tokenizer", "t.json", input="x")

    assert result.exit_code == 5
    assert "t.json" in result.stderr
