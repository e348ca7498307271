"""R10, R11: corpora that are tiny, and corpora that are big."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.corpus import source
from support.levels import LEVEL, cases
from support.processes import OPTIONS

from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.config import TokenizerConfig

BYTES = cases(4_000_000, 5_000_000_000)
#: over what Python and NumPy take: the promise is a GB, of which 4 MB need less
MOST_BYTES = cases(100_000_000, 1_000_000_000)
LEAST_MB_S = 30.0


@pytest.mark.promise("R10")
@pytest.mark.parametrize("level", ["char", "byte"])
@pytest.mark.parametrize(
    "size", cases([0, 1, 2, 3, 4, 19, 23, 300], range(301)), ids=str
)
def test_tiny_corpus_trains_or_is_told_the_least_size(
    size: int, level: str, charrnn: Any
) -> None:
    Path("tiny.txt").write_text(("a cat sat.\n" * 28)[:size])

    result = charrnn(
        "train", "tiny.txt", *OPTIONS, "--steps", "2", "--level", level, "-o", "run"
    )

    if size < 3:
        assert result.exit_code == 4
        assert f"the corpus has {size} characters, but" in result.stderr
        assert not Path("run").exists()
    else:
        assert result.exit_code == 0
        assert charrnn("sample", "-m", "run", "-l", "5").exit_code == 0


# reads and tokenizes as `train` does, and says what that took
PROGRAM = """
import json, sys, time
from pathlib import Path
from charrnn.tokenizers import loading as tokenizers
from charrnn.data.config import CorpusConfig
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.data.corpus import Corpus
from charrnn.text.sources import Source

def peak():
    # not of getrusage, which begins with that of the process that started this one
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if "VmHWM" in line).split()[1])

path, level, documents = sys.argv[1:]
before, began = peak(), time.process_time()
corpus = Corpus([Source(path)], CorpusConfig(documents), raw=level == "byte")
corpus.survey()
tokenizer = tokenizers.fit(corpus.training_texts(), TokenizerConfig(level))
store = corpus.write_store(tokenizer, Path("tokens"))
print(json.dumps({
    "bytes": peak() - before,
    "seconds": time.process_time() - began,
    "targets": store.train.targets + store.valid.targets,
}))
"""


def write_text(path: Path, size: int, line_end: str) -> None:
    """Write about so many bytes of words, in lines of about 70 characters."""
    chance = np.random.default_rng(1)
    words = [
        "".join(map(chr, chance.integers(97, 123, length))) + "é" * int(length == 7)
        for length in chance.integers(1, 12, 2000)
    ]
    with path.open("w", encoding="utf-8", newline="") as out:
        written = 0
        while written < size:
            line = " ".join(words[k] for k in chance.integers(0, 2000, 12))
            text = (line + line_end) * min(1 + size // 100_000_000, 100)
            written += out.write(text)


@pytest.mark.promise("R11")
@pytest.mark.parametrize(
    ("level", "documents", "line_end"),
    [
        ("char", "file", "\n"),
        ("char", "line", "\n"),
        ("byte", "file", "\n"),
        ("char", "file", " "),  # one giant line
    ],
)
def test_big_corpus_takes_little_memory(
    level: str, documents: str, line_end: str, tmp_path: Path
) -> None:
    path = tmp_path / "big.txt"
    write_text(path, BYTES, line_end)
    size = path.stat().st_size

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), level, documents],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    shutil.rmtree(tmp_path)  # it is large

    took = json.loads(ended.stdout)
    megabytes_s = size / 1e6 / took["seconds"]
    print(f"{level} {documents} {line_end!r}: {took}, {megabytes_s:.0f} MB/s")  # noqa: T201
    assert took["targets"] > 0.8 * BYTES
    assert took["bytes"] < MOST_BYTES
    # a corpus of 4 MB ends before it is in its stride
    assert megabytes_s >= (LEAST_MB_S if LEVEL > 1 else LEAST_MB_S / 10)


@pytest.mark.promise("R11")
def test_one_giant_line_is_tokens_as_wrapped_lines_are(tmp_path: Path) -> None:
    stores = []
    for number, line_end in enumerate("\n "):
        write_text(tmp_path / "text", 300_000, line_end)
        text = (tmp_path / "text").read_text()
        corpus = Corpus([source(text)], CorpusConfig(), block_bytes=1 << 12)
        # one alphabet for both, with a line end and a space
        tokenizer = tokenizers.fit(["\n", text], TokenizerConfig(min_count=1))
        stores.append(corpus.write_store(tokenizer, tmp_path / f"tokens-{number}"))

    wrapped, giant = (store.train.tokens for store in stores)
    changed = wrapped != giant
    assert len({*wrapped[changed].tolist()}) == len({*giant[changed].tolist()}) == 1
    assert changed.mean() == pytest.approx(1 / 84, rel=0.3)
