"""`charrnn score`: sums, items, inputs and forms of output."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import TEXT, random_model, save_run

import charrnn as library

KEYS = [
    "text",
    "tokens",
    "chars",
    "bytes",
    "words",
    "unknown",
    "nats",
    "bits",
    "log10",
    "bits_per_token",
    "bits_per_char",
    "bits_per_byte",
    "perplexity",
    "perplexity_per_word",
    "model",
]
LEVELS = ("char", "byte", "word", "subword")
SENTENCE = "the  quick Größe jumps\nover \u3000it "


@pytest.fixture(params=LEVELS)
def any_run(request: pytest.FixtureRequest, bare_setting: Path) -> Path:
    return save_run(random_model(request.param, text=TEXT * 50))


def objects(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_has_exactly_these_keys(charrnn: Any, char_run: Path) -> None:
    (one,) = objects(charrnn("score", "the fox", "--json"))

    assert list(one) == KEYS
    assert one["model"] == "runs/names-001"
    assert one["tokens"] == 8  # 7 characters and the end
    assert (one["chars"], one["bytes"], one["words"]) == (7, 7, 2)


def test_json_of_a_total_has_sums_and_the_number_of_texts(
    charrnn: Any, char_run: Path
) -> None:
    (total,) = objects(charrnn("score", "the", "a fox", "--json", "--per", "total"))

    assert set(total) == {*KEYS, "texts"} - {"text"}
    apart = objects(charrnn("score", "the", "a fox", "--json"))
    assert total["texts"] == 2
    assert total["nats"] == pytest.approx(sum(one["nats"] for one in apart))
    assert total["tokens"] == sum(one["tokens"] for one in apart)
    assert total["perplexity"] == pytest.approx(
        math.exp(total["nats"] / total["tokens"])
    )


@pytest.mark.parametrize("per", ["token", "word"])
def test_items_add_up_to_the_total_and_to_the_text(
    charrnn: Any, any_run: Path, per: str
) -> None:
    (one,) = objects(charrnn("score", SENTENCE, "--json", "--per", per))

    *parts, end = one["items"]
    assert list(end) == ["text", "start", "end", "bits", "rank", "top"]
    assert (end["text"], end["start"]) == ("<EOS>", len(SENTENCE))
    assert "".join(part["text"] for part in parts) == SENTENCE
    assert all(SENTENCE[p["start"] : p["end"]] == p["text"] for p in parts)
    total = sum(item["bits"] for item in one["items"])
    assert total == pytest.approx(one["bits"], rel=1e-12)
    # the same text, scored in one call
    (at_once,) = objects(charrnn("score", SENTENCE, "--json"))
    assert at_once["bits"] == pytest.approx(one["bits"], rel=1e-5)
    assert at_once["unknown"] == one["unknown"]


def test_words_take_the_white_space_before_them(charrnn: Any, any_run: Path) -> None:
    (one,) = objects(charrnn("score", SENTENCE, "--json", "--per", "word"))

    words = [item["text"] for item in one["items"]]
    expected = ["the", "  quick", " Größe", " jumps", "\nover", " \u3000it", " "]
    assert words == [*expected, "<EOS>"]


def test_bits_of_a_word_are_those_of_its_characters(
    charrnn: Any, char_run: Path
) -> None:
    (words,) = objects(charrnn("score", "the fox", "--json", "--per", "word"))
    (tokens,) = objects(charrnn("score", "the fox", "--json", "--per", "token"))

    bits = [item["bits"] for item in tokens["items"]]
    expected = [sum(bits[:3]), sum(bits[3:7]), bits[7]]
    assert [item["bits"] for item in words["items"]] == pytest.approx(expected)


def test_top_has_the_likeliest_first_and_rank_counts_from_them(
    charrnn: Any, char_run: Path
) -> None:
    (one,) = objects(charrnn("score", "the fox", "--json", "--top", "40"))

    for item in one["items"]:
        bits = [other["bits"] for other in item["top"]]
        assert bits == sorted(bits)
        assert item["top"][item["rank"] - 1]["bits"] == item["bits"]
        assert sum(2**-b for b in bits) <= 1 + 1e-5


def test_the_end_counts_as_the_model_learned_it(
    charrnn: Any, bare_setting: Path
) -> None:
    save_run(random_model(learned_end=False), "long-001")
    runs = {flag: objects(charrnn("score", "the", "--json", *flag.split()))[0]
            for flag in ("", "--end", "--no-end")}  # fmt: skip

    assert [runs[flag]["tokens"] for flag in ("", "--end", "--no-end")] == [3, 4, 3]
    assert runs[""]["bits"] == runs["--no-end"]["bits"] < runs["--end"]["bits"]


def test_context_is_read_and_not_counted(charrnn: Any, any_run: Path) -> None:
    (after,) = objects(charrnn("score", " fox", "--context", "the", "--json"))
    (whole,) = objects(charrnn("score", "the fox", "--json"))
    (before,) = objects(charrnn("score", "the", "--no-end", "--json"))

    assert after["bits"] + before["bits"] == pytest.approx(whole["bits"], rel=1e-5)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_missing_final_newline_changes_nothing(
    charrnn: Any, char_run: Path, ending: str
) -> None:
    Path("texts").write_bytes(f"the fox\na dog{ending}".encode())
    expected = charrnn("score", "the fox", "a dog", "--plain").stdout

    assert charrnn("score", "-f", "texts", "--plain").stdout == expected
    whole = charrnn("score", "-f", "texts", "--whole", "--plain").stdout
    assert whole == charrnn("score", "the fox\na dog", "--plain").stdout


def test_numbers_of_lines_stay_in_order_empty_lines_too(
    charrnn: Any, char_run: Path
) -> None:
    lines = ["the fox", "", "a", "the lazy dog and sleeps"] * 150  # several batches
    Path("texts").write_text("\n".join(lines))

    numbers = charrnn("score", "-f", "texts", "--plain").stdout.split()

    model = library.load()
    one_by_one = [model.score(line).bits for line in lines[:4]]
    assert len(numbers) == 600
    assert [float(n) for n in numbers] == pytest.approx(one_by_one * 150, rel=1e-5)


def test_stdin_is_read_without_texts_and_as_a_dash(
    charrnn: Any, char_run: Path
) -> None:
    expected = charrnn("score", "the", "fox", "--plain").stdout
    for args in (["score"], ["score", "-"], ["score", "-f", "-"]):
        assert charrnn(*args, "--plain", input="the\nfox").stdout == expected


@pytest.mark.parametrize("unit", ["bits", "nats", "log10"])
def test_plain_writes_the_number_of_the_unit(
    charrnn: Any, char_run: Path, unit: str
) -> None:
    plain = charrnn("score", "the", "--plain", "--unit", unit).stdout

    (one,) = objects(charrnn("score", "the", "--json"))
    assert float(plain) == pytest.approx(one[unit], abs=1e-6)
    assert one["log10"] < 0 < one["bits"]


def test_sort_puts_the_likeliest_first(charrnn: Any, char_run: Path) -> None:
    texts = ["the fox", "", "jumps over", "zzz", "lazy"]

    found = objects(charrnn("score", *texts, "--sort", "--json"))

    rates = [one["bits_per_char"] for one in found]
    assert rates[-1] is None  # the empty text
    assert rates[:-1] == sorted(rates[:-1])


def test_rows_are_data_and_heading_and_total_are_talk(
    charrnn: Any, char_run: Path
) -> None:
    result = charrnn("score", "the fox", "a dog")

    assert [line.split()[-2:] for line in result.stdout.splitlines()] == [
        ["the", "fox"],
        ["a", "dog"],
    ]
    assert "bits/char" in result.stderr
    assert "total of 2 texts" in result.stderr
    assert charrnn("score", "the fox", "a dog", "-q").stderr == ""


def test_bytes_that_are_not_utf8_need_a_byte_model(
    charrnn: Any, char_run: Path
) -> None:
    Path("latin.txt").write_bytes(b"caf\xe9\n")

    result = charrnn("score", "-f", "latin.txt")

    assert result.exit_code == 4
    assert "byte 0xe9 at offset 3" in result.stderr
    save_run(random_model("byte"), "byte-001")
    args = ("score", "-m", "runs/byte-001", "-f", "latin.txt", "--json")
    (one,) = objects(charrnn(*args))
    assert (one["bytes"], one["text"]) == (4, "caf\udce9")


def test_a_long_text_is_one_text_with_its_state_carried(
    charrnn: Any, char_run: Path
) -> None:
    text = TEXT * 300  # several blocks of tokens
    Path("long.txt").write_text(text)

    (one,) = objects(charrnn("score", "--whole", "-f", "long.txt", "--json"))

    expected = sum(one.nats for one in library.load().score_tokens(text[:-1]))
    assert one["nats"] == pytest.approx(expected, rel=1e-5)
    assert one["chars"] == len(text) - 1


def test_heat_colours_at_a_terminal_only(
    terminal: Any, charrnn: Any, char_run: Path
) -> None:
    args = ("score", "the fox", "--heat")

    assert "\x1b[38;5;16;48;5;" in terminal(*args)
    assert "\x1b" not in terminal(*args, NO_COLOR="1")
    assert "\x1b" not in terminal(*args, TERM="dumb")
    assert charrnn(*args).stdout == charrnn("score", "the fox", "--per", "token").stdout
