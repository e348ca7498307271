"""Memory that is not there ends in a message, not in the end of the process."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.training.machine import memory
from charrnn.training.machine.memory import memory_limit


@pytest.fixture
def scarce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the system say that a few megabytes are available."""
    path = tmp_path / "meminfo"
    path.write_text("MemTotal: 99999999 kB\nMemAvailable: 30000 kB\n")
    monkeypatch.setattr(memory, "AVAILABLE", (path, "MemAvailable"))


@pytest.mark.usefixtures("scarce")
def test_more_than_is_available_is_refused_and_less_is_not() -> None:
    with memory_limit():
        np.empty(1_000_000, np.uint8)
        with pytest.raises(MemoryError):
            np.empty(1 << 32, np.uint8)


@pytest.mark.usefixtures("scarce")
def test_limit_ends_with_its_context() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    with memory_limit():
        assert resource.getrlimit(resource.RLIMIT_DATA) != before

    assert resource.getrlimit(resource.RLIMIT_DATA) == before


@pytest.mark.usefixtures("scarce")
def test_system_that_says_nothing_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "USED", (Path("nowhere"), ""))

    with memory_limit():
        np.empty(1 << 32, np.uint8)


@pytest.mark.usefixtures("scarce")
def test_text_too_large_to_count_exits_with_6_and_a_way_out(charrnn: Any) -> None:
    rng = np.random.default_rng(0)
    Path("large.txt").write_bytes(rng.integers(97, 123, 1_000_000, np.uint8).tobytes())

    result = charrnn("train", "large.txt", "--family", "ngram", "--order", "9")

    assert result.exit_code == 6
    assert "not enough memory to count 900,000 tokens" in result.stderr
    assert "--order" in result.stderr
