import base64
import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import sentencepiece

from charrnn.errors import ModelFileError, TextError, UsageError
from charrnn.tokenizers import sentencepiece_process
from charrnn.tokenizers.config import SUBWORD_KINDS, TokenizerConfig
from charrnn.tokenizers.subword import SubwordTokenizer
from charrnn.tokenizers.subword_training import sample

CORPUS = "The cat sat on the mat; the café's hat\tsat on the CAT!\r\n" * 3

both_types = pytest.mark.parametrize("subword", SUBWORD_KINDS)


def fit(*some: str, **config) -> SubwordTokenizer:
    return SubwordTokenizer.fit(some, TokenizerConfig(level="subword", **config))


def processor_of(tokenizer: SubwordTokenizer) -> sentencepiece.SentencePieceProcessor:
    data = base64.b64decode(tokenizer.to_json()["model"])
    return sentencepiece.SentencePieceProcessor(model_proto=data)


def foreign_model(**options) -> bytes:
    """Return the model that SentencePiece itself learns, its defaults and options."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.split("\r\n")),
        model_writer=model,
        hard_vocab_limit=False,
        minloglevel=3,
        **{"vocab_size": 60, **options},
    )
    return model.getvalue()


# --- models learned here


@both_types
@pytest.mark.parametrize(
    "text",
    [
        *["\u2581", "a\u2581 \u2581b", "\0", "a\0b", "\r\n\r", "\udc80é\udcff"],
        *["<s>", "</s>", "<unk>", "<pad>", "<0x41>", "<0x0A>", "<EOS>", "\u2585"],
        *[" ", "  a  ", "\t\t", "\n\n", "\u00a0\u3000", "ﬁ①Ａe\u0301", "\ufeff\ufffe"],
    ],
)
def test_special_characters_come_back_and_are_no_special_tokens(subword, text):
    tokenizer = fit(CORPUS, subword=subword)

    ids = tokenizer.encode(text)

    assert tokenizer.decode_bytes(ids) == text.encode("utf-8", "surrogateescape")
    assert not set(ids.tolist()) & {0, *tokenizer.never_generated}


@both_types
@pytest.mark.parametrize(
    "corpus",
    ["a", "\n", " ", "\u2581\u2585\0", "ab" * 5000, "<s><unk><0x41>" * 50, "🎈é日"],
)
def test_any_corpus_that_is_not_empty_gives_a_lossless_model(subword, corpus):
    tokenizer = fit(corpus, subword=subword)

    text = corpus + "zażółć \u2581\t"
    assert tokenizer.lossless
    assert tokenizer.unknown is None
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_dead_unknown_piece_is_never_generated():
    tokenizer = fit(CORPUS)

    assert tokenizer.never_generated == (1,)
    assert tokenizer.piece(1) == "<unk>"
    assert tokenizer.token_bytes(1) == b""


def test_ids_are_those_of_sentencepiece_plus_one():
    tokenizer = fit(CORPUS)

    expected = np.array(processor_of(tokenizer).encode("the cat\n")) + 1

    assert tokenizer.encode("the cat\n").tolist() == expected.tolist()


@both_types
def test_a_long_text_encodes_as_if_not_cut_into_slices(subword):
    tokenizer = fit(CORPUS, subword=subword)
    text = CORPUS * 100  # 17,400 characters: several slices

    expected = np.array(processor_of(tokenizer).encode(text)) + 1

    assert tokenizer.encode(text).tolist() == expected.tolist()


@both_types
def test_learning_twice_gives_the_same_model(subword):
    first, second = (fit(CORPUS, subword=subword) for _ in range(2))

    assert first.to_json() == second.to_json()


def test_learning_says_nothing(capfd):
    fit(CORPUS)

    assert capfd.readouterr() == ("", "")


def test_rare_characters_are_spelled_in_bytes():
    tokenizer = fit("aaabbbé")

    assert tokenizer.decode_bytes(tokenizer.encode("é")[:1]) == b"\xc3"


def test_many_characters_leave_half_of_the_room_for_longer_pieces():
    # 300 - boundary, unknown, 256 bytes, newline, space: room for 40, 20 characters
    tokenizer = fit("".join(map(chr, range(0x4E00, 0x5E00))) * 2, vocab_size=300)

    pieces = map(tokenizer.token_bytes, range(tokenizer.vocab_size))
    assert tokenizer.vocab_size <= 300
    assert sum(len(piece) == 3 for piece in pieces) == 20


@both_types
@pytest.mark.parametrize("vocab_size", [262, 263, 300])
def test_the_vocabulary_is_never_larger_than_asked_for(subword, vocab_size):
    corpus = "the cat sat on the mat\n" * 50

    tokenizer = fit(corpus, subword=subword, vocab_size=vocab_size)

    assert tokenizer.vocab_size <= vocab_size


def test_a_vocabulary_too_small_for_bytes_names_the_smallest():
    with pytest.raises(UsageError, match="`vocab_size` is 200") as caught:
        fit("abc", vocab_size=200)

    assert caught.value.hint.startswith("use 262 or more")
    assert fit("abc", vocab_size=262).vocab_size <= 262


def test_a_text_that_sentencepiece_refuses_is_a_text_error():
    with pytest.raises(TextError):
        fit("")


def test_the_sample_is_bounded_and_drawn_from_begin_to_end():
    lines = (f"{n:07} {'x' * 990}\n" for n in range(25_000))  # 25 MB

    chunks = sample(lines)

    numbers = [int(line[:7]) for chunk in chunks for line in chunk.splitlines()[:1]]
    assert 5_000_000 < sum(map(len, chunks)) <= 10_000_000
    assert numbers[0] == 0
    assert numbers[-1] > 24_900
    assert set(np.diff(numbers)) == {4}


def test_chunks_are_short_enough_for_sentencepiece_and_cut_at_spaces():
    chunks = sample(["😀" * 2500 + " word" * 1000 + "\n" + "line\n" * 1000])

    assert max(len(chunk.encode()) for chunk in chunks) <= 4000
    assert "".join(chunks).count(" word") == sum(c.count(" word") for c in chunks)


# --- models from elsewhere


def test_a_foreign_model_encodes_as_sentencepiece_does():
    data = foreign_model()
    tokenizer = SubwordTokenizer(data)
    processor = sentencepiece.SentencePieceProcessor(model_proto=data)

    assert (tokenizer.encode("the  CAT  ") - 1).tolist() == processor.encode("the  CAT")
    assert tokenizer.vocab_size == processor.vocab_size() + 1


def test_a_foreign_model_has_an_unknown_piece_and_silent_control_pieces():
    tokenizer = SubwordTokenizer(foreign_model())

    assert not tokenizer.lossless
    assert tokenizer.unknown == 1
    assert tokenizer.never_generated == (1, 2, 3)
    assert [tokenizer.piece(i) for i in range(4)] == ["<EOS>", "<UNK>", "<s>", "</s>"]
    assert tokenizer.decode(tokenizer.encode("the日")) == " the\ufffd"


@pytest.mark.parametrize("text", ["the ﬁ日本 cat  ", "\udc80\u2581", "   ", "cat\n"])
def test_ends_of_a_foreign_model_rise_to_the_end_of_the_text(text):
    tokenizer = SubwordTokenizer(foreign_model())

    ids, ends = tokenizer.encode_with_ends(text)

    assert ids.tolist() == tokenizer.encode(text).tolist()
    assert ends.tolist() == sorted(ends.tolist())
    assert ends.tolist()[-1:] == [len(text)][: len(ids)]


def test_a_model_without_bytes_or_normalisation_loses_only_what_is_unknown():
    identity = {"normalization_rule_name": "identity", "add_dummy_prefix": False}
    data = foreign_model(**identity, remove_extra_whitespaces=False)
    tokenizer = SubwordTokenizer(data)

    ids, ends = tokenizer.encode_with_ends("  the\u2581日 ")

    assert tokenizer.lossless
    assert tokenizer.decode(ids) == "  the\ufffd\ufffd "
    assert ends[ids == tokenizer.unknown].tolist() == [6, 7]


def test_a_model_with_bytes_that_normalises_has_no_unknown_but_is_not_lossless():
    tokenizer = SubwordTokenizer(foreign_model(byte_fallback=True, vocab_size=350))

    ids = tokenizer.encode("日")

    assert (tokenizer.unknown, tokenizer.lossless) == (None, False)
    assert tokenizer.decode(ids) == " 日"


@pytest.mark.parametrize("data", [b"", b"rubbish", b"\0" * 99, CORPUS.encode()])
def test_rubbish_is_no_model(data):
    with pytest.raises(ModelFileError, match="not a SentencePiece model"):
        SubwordTokenizer(data)


def test_half_a_model_is_no_model():
    data = foreign_model()

    with pytest.raises(ModelFileError, match="cannot be loaded"):
        SubwordTokenizer(data[: len(data) // 2])


@pytest.mark.promise("R21")
@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import os; os.abort()", "exit code -6"),
        ("import ctypes; ctypes.string_at(0)", "exit code -11"),
        ("raise SystemExit('no room')", "no room"),
    ],
)
def test_trainer_that_crashes_is_an_error_message(
    program: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "crash.py"
    file.write_text(program)
    monkeypatch.setattr(sentencepiece_process, "__file__", str(file))

    with pytest.raises(TextError, match=f"cannot learn from this text: {says}"):
        SubwordTokenizer.fit(["some text " * 40], TokenizerConfig("subword"))


@pytest.mark.promise("R21")
def test_model_is_that_of_a_trainer_in_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[bytes] = []
    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda *a, **k: shown.append(k["input"]) or run(*a, **k)
    )
    text = "the quick brown fox jumps over the lazy dog\n" * 50

    tokenizer = SubwordTokenizer.fit([text], TokenizerConfig("subword", 300))

    options, *sentences = map(json.loads, shown[0].splitlines())
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=model, **options
    )
    assert tokenizer.to_json() == SubwordTokenizer(model.getvalue()).to_json()
    assert max(len(sentence.encode()) for sentence in sentences) <= 4000
