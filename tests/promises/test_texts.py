"""Texts of any kind: trained on, sampled from, scored; and scores that stay put."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hostile_corpora import CORPORA
from support.levels import cases
from support.models import random_text_model
from support.scoring import ids_of

from charrnn.errors import ModelFileError
from charrnn.inference import scoring, threads
from charrnn.inference.scoring import next_token_scores
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers import loading as tokenizers

Run = Callable[..., Any]
TRAIN = [
    *("--hidden", "8", "--embed", "4", "--steps", "20", "--batch", "4"),
    *("--bptt", "16", "--min-count", "1", "--threads", "1", "-q", "-o", "run"),
]

# in the suite some of the corpora, always the same ones
SOME = random.Random(1).sample(sorted(CORPORA), cases(5, len(CORPORA)))
OTHERS = [
    (name, level)
    for name in random.Random(2).sample(sorted(CORPORA), cases(2, len(CORPORA)))
    for level in ("char", "word", "subword")
]


def writes_and_scores(charrnn: Run) -> None:
    """Sample from the run, and score its own text."""
    sampled = charrnn("sample", "-m", "run", "--length", "20", "--seed", "1")
    scored = charrnn("score", "-m", "run", "--file", "corpus.txt", "--json")

    assert sampled.exit_code == scored.exit_code == 0
    for line in scored.stdout.strip("\n").split("\n"):  # a text may have others
        assert json.loads(line)["nats"] >= 0


@pytest.mark.promise("R8")
@pytest.mark.parametrize("name", SOME)
def test_any_corpus_is_handled_as_bytes(name: str, charrnn: Run) -> None:
    Path("corpus.txt").write_bytes(CORPORA[name])

    trained = charrnn("train", "corpus.txt", "--level", "byte", *TRAIN)

    assert trained.exit_code == 0
    writes_and_scores(charrnn)


@pytest.mark.promise("R8")
@pytest.mark.parametrize(("name", "level"), OTHERS)
def test_any_corpus_is_handled_or_refused_with_the_way_out(
    name: str, level: str, charrnn: Run
) -> None:
    Path("corpus.txt").write_bytes(CORPORA[name])

    trained = charrnn("train", "corpus.txt", "--level", level, *TRAIN)

    if trained.exit_code:
        assert trained.exit_code == 4
        assert "hint: " in trained.stderr
        assert len(trained.stderr.splitlines()) <= 6
        is_other = "is UTF-16" in trained.stderr or "is UTF-32" in trained.stderr
        if "not UTF-8" in trained.stderr and not is_other:
            assert " at offset " in trained.stderr
    else:
        writes_and_scores(charrnn)


# --- scores


TEXTS = [
    "the cat sat",
    "on",
    "",
    "the mat; and slept there\tfor a while",
    "é",
    "a" * 99,
]
MODEL = random_text_model([*TEXTS, "the quick brown fox"], hidden=20)


def nats_of(texts: list[str], **options: Any) -> np.ndarray[Any, Any]:
    return np.array([score.nats for score in MODEL.score_all(texts, **options)])


some_texts = st.lists(st.text(st.sampled_from("".join(TEXTS)), max_size=60), max_size=9)


@pytest.mark.promise("R19")
@settings(max_examples=cases(40, 2000))
@given(texts=some_texts, data=st.data())
def test_order_of_texts_changes_no_score(texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(texts))))

    shuffled = nats_of([texts[k] for k in order])

    np.testing.assert_allclose(shuffled, nats_of(texts)[order], rtol=1e-5)


@pytest.mark.promise("R19")
@settings(
    max_examples=cases(20, 1000),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    texts=some_texts,
    block=st.sampled_from([1, 7, 64, 8192]),
    rows=st.sampled_from([1, 2, 512]),
    cores=st.sampled_from([1, 2, 3, 5]),
)
def test_batches_and_threads_change_no_score(
    texts: list[str],
    block: int,
    rows: int,
    cores: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = nats_of(texts)

    with monkeypatch.context() as patch:
        patch.setattr(scoring, "BLOCK_TOKENS", block)
        patch.setattr(scoring, "ROWS", rows)
        patch.setattr(threads, "LEAST_WORK", 1)
        patch.setattr(threads, "free_cores", lambda: cores)
        again = nats_of(texts)

    np.testing.assert_allclose(again, whole, rtol=1e-5)


@pytest.mark.promise("R19")
@pytest.mark.parametrize("family", ["lstm", "gru", "mingru"])
def test_probabilities_sum_to_one_in_any_context(family: str) -> None:
    model = random_text_model(TEXTS, cell=family, hidden=20).model
    ids = ids_of(cases(200, 1000)) % model.vocab_size

    rows = np.concatenate(list(next_token_scores(model, ids)))

    np.testing.assert_allclose(np.exp(rows).sum(-1), 1, atol=1e-5)


@pytest.mark.promise("R19")
@settings(
    max_examples=cases(5, 200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(st.sampled_from("the quickbrown\t"), min_size=1, max_size=40))
def test_channel_and_last_newline_change_no_score(
    text: str, char_run: Path, charrnn: Run
) -> None:
    bare, closed = Path("bare.txt"), Path("closed.txt")
    bare.write_text(text)
    closed.write_text(f"{text}\n")

    results = [
        charrnn("score", "--plain", "--", text),
        charrnn("score", "--plain", "-f", bare),
        charrnn("score", "--plain", "-f", closed),
        charrnn("score", "--plain", "-f", "-", input=text),
        charrnn("score", "--plain", "-f", "-", input=f"{text}\n"),
    ]

    assert {result.exit_code for result in results} == {0}
    assert len({result.stdout for result in results}) == 1


# --- anything at all

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=9), inner, max_size=5)
    ),
    max_leaves=9,
)
tokenizer_files = st.fixed_dictionaries(
    {"level": st.sampled_from([*TOKENIZERS]) | json_values},
    optional=dict.fromkeys(("characters", "pieces", "model"), json_values),
)


@settings(
    max_examples=cases(40, 10_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.promise("R8")
@given(values=tokenizer_files)
def test_any_tokenizer_file_is_one_or_is_refused(values: Any, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(values))

    with suppress(ModelFileError):
        tokenizer = tokenizers.load(path)
        assert isinstance(tokenizer.decode(tokenizer.encode("a")), str)


@settings(
    max_examples=cases(20, 2000),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.promise("R8")
@given(data=st.binary(max_size=200))
def test_any_bytes_are_scored_or_refused(
    data: bytes, char_run: Path, charrnn: Run
) -> None:
    result = charrnn("score", "--plain", "-f", "-", input=data)

    assert result.exit_code in (0, 4)
    if result.exit_code == 4:
        assert " at offset " in result.stderr or "UTF-" in result.stderr
        assert "hint: " in result.stderr
