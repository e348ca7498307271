"""R23: labelled data of any shape trains, or is refused with the line to correct."""

import random
from pathlib import Path
from typing import Any

import pytest
from support.hostile_labelled import LABELLED
from support.levels import cases

TRAIN = (
    *("--hidden", "8", "--embed", "4", "--steps", "3", "--batch", "4"),
    *("--threads", "1", "--precision", "fp32", "-q", "-o", "run"),
)
#: in which no line is wrong, but the file as a whole
WHOLE = (
    " is empty", " contains no examples", "all examples have the same input",
    " is UTF-16, not UTF-8",
)  # fmt: skip
#: rows that take seconds to train, and longer to predict as a whole
SLOW = {"100,000 labels", "a text of a megabyte", "a CSV cell of a megabyte"}
QUICK = sorted({*LABELLED} - SLOW)
SOME = cases(random.Random(1).sample(QUICK, 12), [*LABELLED])


@pytest.mark.promise("R23")
@pytest.mark.parametrize("row", SOME)
def test_labelled_file_trains_or_is_refused_with_the_line(
    row: str, charrnn: Any
) -> None:
    hostile = LABELLED[row]
    file = hostile.name
    Path(file).write_bytes(hostile.data)

    trained = charrnn("train", file, "--task", hostile.task, *hostile.options, *TRAIN)

    if trained.exit_code:
        assert trained.exit_code == 4
        assert "hint: " in trained.stderr
        assert len(trained.stderr.splitlines()) <= 6
        is_whole = any(what in trained.stderr for what in WHOLE)
        assert is_whole or trained.stderr.startswith(f"error: {file}, line ")
        assert not Path("run").exists()
        return
    if row in SLOW:
        lines = hostile.data.splitlines(keepends=True)
        Path(file).write_bytes(b"".join(lines[:20]))
    own = ("-m", "run", "-f", file, *hostile.options)
    assert charrnn("predict", *own, "--json").exit_code == 0
    assert charrnn("score", *own, "--per", "total", "--json").exit_code == 0
    # of characters that it never saw
    assert charrnn("predict", "-m", "run", "\u2603 \U0001f600").exit_code == 0
