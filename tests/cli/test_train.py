"""`charrnn train`: what it takes, what it writes where, and what it refuses."""

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from support.training import TEXTS

from charrnn.inference import checkpoint
from charrnn.storage.runs import Run

PROSE = TEXTS["file"]
TINY = [
    *("--hidden", "8", "--embed", "4", "--batch", "4", "--bptt", "8"),
    *("--threads", "1", "--precision", "fp32"),
]


@pytest.fixture(autouse=True)
def corpus(bare_setting: Path) -> Path:
    path = Path("prose.txt")
    path.write_text(PROSE)
    return path


@pytest.fixture
def train(charrnn: Any) -> Any:
    """Train a tiny network on prose.txt or other texts, in this process."""

    def run(*args: str | Path, steps: int = 4, **keywords: Any) -> Any:
        texts = (
            () if any(Path(arg).suffix == ".txt" for arg in args) else ("prose.txt",)
        )
        budget = ("--steps", str(steps)) if steps else ()
        return charrnn("train", *texts, *args, *TINY, *budget, **keywords)

    return run


def events(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def of_kind(kind: str, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in found if event["event"] == kind]


# --- what comes out


def test_stdout_is_the_run_folder_and_nothing_else(train: Any) -> None:
    result = train()

    assert result.exit_code == 0
    assert result.stdout == "runs/prose-001\n"


def test_run_folder_holds_what_the_readme_says(train: Any) -> None:
    train("-o", "here")

    names = {path.name for path in Path("here").iterdir()}
    assert names == {
        "lock",
        "metrics.jsonl",
        "model.safetensors",
        "resume.safetensors",
        "run.json",
        "tokens",
    }


def test_stderr_says_sizes_plan_reasons_and_what_was_saved(train: Any) -> None:
    said = train().stderr

    for text in (
        "prose.txt: 826 characters, 1 document; 743 tokens for training, 83 for "
        "validation",
        "lstm 1x8,",
        "4 steps on cpu, fp32",
        "in runs/prose-001",
        "bits/char",
        "saved runs/prose-001/model.safetensors",
    ):
        assert text in said


def test_quiet_says_nothing(train: Any) -> None:
    result = train("-q")

    assert result.stderr == ""
    assert result.stdout == "runs/prose-001\n"


def test_trained_model_writes_and_scores(train: Any, charrnn: Any) -> None:
    train("-o", "here")

    assert charrnn("score", "a dark night", "-m", "here", "-q").exit_code == 0
    assert charrnn("sample", "-m", "here", "-l", "5", "-q").exit_code == 0


def test_json_lines_have_the_keys_of_the_manual(train: Any) -> None:
    found = events(train("--json", steps=20))

    assert all({"event", "step", "elapsed_s"} <= set(event) for event in found)
    (start,), (done,) = of_kind("start", found), of_kind("done", found)
    assert {"model", "training", "corpus", "parameters"} <= set(start)
    assert {"run", "best", "steps"} <= set(done)
    assert (done["run"], done["steps"]) == ("runs/prose-001", 20)
    measured = {"nats_per_token", "bits_per_char", "bits_per_byte", "tokens"}
    assert all(measured <= set(event) for event in of_kind("validation", found))
    assert len(of_kind("validation", found)) == 10


def test_lines_of_metrics_are_among_the_json_lines(train: Any) -> None:
    found = events(train("--json", steps=20))

    lines = Run(Path("runs/prose-001")).metrics.read_text().splitlines()
    kept = [json.loads(line) for line in lines]
    assert [event for event in found if event in kept] == kept
    assert [event["step"] for event in of_kind("step", kept)] == [10, 20]


def test_parameters_are_those_of_the_model_file(train: Any) -> None:
    (start,) = of_kind("start", events(train("--json", "-o", "here")))

    tensors = checkpoint.load(Path("here/model.safetensors")).model.tensors()
    assert start["parameters"] == sum(values.size for values in tensors.values())


def test_dry_run_says_the_plan_and_leaves_nothing_behind(
    train: Any, bare_setting: Path
) -> None:
    result = train("--dry-run")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert "lstm 1x8" in result.stderr
    assert [path.name for path in bare_setting.iterdir()] == ["prose.txt"]


def test_dry_run_of_a_run_that_is_there_leaves_it_alone(train: Any) -> None:
    train("-o", "here")
    before = Path("here/run.json").read_bytes()

    result = train("-o", "here", "--dry-run", steps=9)

    assert result.exit_code == 0
    assert Path("here/run.json").read_bytes() == before


def test_finished_run_is_said_and_left_as_it_is(train: Any) -> None:
    train()

    result = train()

    assert result.exit_code == 0
    assert result.stdout == "runs/prose-001\n"
    assert "runs/prose-001 is already finished; nothing was changed" in result.stderr


# --- corpora


@pytest.mark.parametrize(
    ("suffix", "opener"), [("gz", gzip), ("bz2", bz2), ("xz", lzma)]
)
def test_compressed_corpus_trains_as_the_plain_one(
    suffix: str, opener: Any, train: Any, charrnn: Any
) -> None:
    train("-o", "plain")
    Path(f"prose.txt.{suffix}").write_bytes(opener.compress(PROSE.encode()))

    charrnn("train", f"prose.txt.{suffix}", *TINY, "--steps", "4", "-o", "packed")

    plain, packed = (Path(f"{name}/model.safetensors") for name in ("plain", "packed"))
    assert (
        checkpoint.load(plain).summary.validation
        == checkpoint.load(packed).summary.validation
    )


def test_stdin_is_a_corpus_named_by_a_dash(charrnn: Any) -> None:
    result = charrnn("train", "-", *TINY, "--steps", "2", input=PROSE)

    assert result.stdout == "runs/stdin-001\n"


def test_folder_is_a_corpus_of_all_its_files(charrnn: Any) -> None:
    Path("poems").mkdir()
    for k in range(30):
        Path(f"poems/{k}.txt").write_text(PROSE[k : k + 40])

    result = charrnn("train", "poems", *TINY, "--steps", "2")

    assert result.stdout == "runs/poems-001\n"
    assert "30 documents" in result.stderr


def test_validation_text_can_be_given(train: Any) -> None:
    Path("other").write_text("a night of rain")

    found = events(train("--valid", "other", "--json"))

    assert {event["tokens"] for event in of_kind("validation", found)} == {15}
    assert of_kind("start", found)[0]["train_tokens"] == len(PROSE) + 1


def test_validation_documents_that_were_trained_on_are_said(train: Any) -> None:
    Path("names.txt").write_text("".join(f"name {k}\n" for k in range(60)))
    Path("other").write_text("name 7\nname 8\nnobody\n")

    result = train("names.txt", "--documents", "line", "--valid", "other")

    assert (
        "warning: 2 validation documents also appear in the training part"
        in result.stderr
    )


def test_bytes_of_any_kind_train_at_byte_level(train: Any) -> None:
    Path("noise.txt").write_bytes(bytes(range(256)) * 4)

    result = train("noise.txt", "--level", "byte")

    assert result.exit_code == 0
    assert result.stdout == "runs/noise-001\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has 0 characters, but needs at least 3"),
        (b"ab", "has 2 characters, but needs at least 3"),
        (b"caf\xe9 au lait, " * 20, "not UTF-8: byte 0xe9 at offset 3"),
        (PROSE.encode("utf-16"), "UTF-16"),
    ],
    ids=["empty", "short", "latin1", "utf-16"],
)
def test_text_that_cannot_be_used_exits_with_4_and_leaves_no_run(
    content: bytes, said: str, train: Any
) -> None:
    Path("bad.txt").write_bytes(content)

    result = train("bad.txt")

    assert result.exit_code == 4
    assert said in result.stderr
    assert not Path("runs").exists()


def test_too_little_to_validate_leaves_no_run(train: Any) -> None:
    Path("names.txt").write_text("".join(f"name {k}\n" for k in range(60)))
    Path("valid").write_text("")

    result = train("names.txt", "--valid", "valid", "-o", "here")

    assert result.exit_code == 4
    assert not Path("here").exists()


def test_corpus_that_is_missing_exits_with_3(train: Any) -> None:
    result = train("nothing.txt")

    assert result.exit_code == 3
    assert "nothing.txt does not exist" in result.stderr


# --- runs in use


def test_run_in_use_exits_with_8_and_says_by_whom(train: Any) -> None:
    train()

    with Run(Path("runs/prose-001")).lock():
        result = train(steps=9)

    assert result.exit_code == 8
    assert "runs/prose-001 is in use by process" in result.stderr
    assert "since 20" in result.stderr


def test_name_of_a_corpus_need_not_be_utf_8(train: Any) -> None:
    name = "caf\udce9.txt"
    Path(name).write_text(PROSE)

    assert train(name).exit_code == 0

    (metrics,) = Path("runs").glob("*/metrics.jsonl")
    start, *_ = map(json.loads, metrics.read_text().splitlines())
    assert start["corpus"]["files"] == [name]
