"""A cell, a tokenizer, a family and an option are each added in one place.

The toys below are registered by one line each. By that alone the program trains,
resumes, samples, scores and compares with them, and shows them in its help.
"""

import subprocess
import sys
from pathlib import Path

TOYS = '''
"""Toys: a leaky cell, a tokenizer of letter pairs, and a family with an option."""

from dataclasses import dataclass

import numpy as np

from charrnn.fields import check, option
from charrnn.models.base import ConfiguredModel, check_tensors
from charrnn.models.cells import Cell, recurrent
from charrnn.models.recipe import CorpusStatistics, Recipe
from charrnn.tokenizers.byte import ByteTokenizer


class Leaky(Cell):
    """h_t = (h_{t-1} + tanh(U h_{t-1} + W x_t + b)) / 2."""

    gates = 1

    @classmethod
    def step(cls, xp, projected, state, w):
        (h,) = state
        return ((h + xp.tanh(projected + recurrent(h, w))) / 2,)


class ToyTokenizer(ByteTokenizer):
    """Bytes under another name."""

    level = "toy"


@dataclass(frozen=True)
class BiasConfig:
    """A model that ignores the past."""

    vocab_size: int
    strength: float = option(1.0, above=0, help="Weight of the counts.")

    def __post_init__(self):
        check(self)

    @property
    def title(self):
        return f"bias {self.strength:g}"


class BiasModel(ConfiguredModel):
    """Scores every token by its log count."""

    family = "bias"
    config_type = BiasConfig

    def __init__(self, config, tensors):
        check_tensors(tensors, {"bias": (config.vocab_size,)})
        super().__init__(config, tensors)

    @classmethod
    def fit(cls, config, part, tokenizers):
        counts = np.bincount(part.tokens, minlength=config.vocab_size)
        bias = np.log1p(config.strength * counts).astype(np.float32)
        return cls(config, {"bias": bias})

    def initial_state(self, batch):
        return ()

    def forward(self, tokens, state):
        shape = (*tokens.shape, self.vocab_size)
        return np.broadcast_to(self._tensors["bias"], shape).copy(), ()


class BiasRecipe(Recipe):
    """Nothing to choose."""

    @staticmethod
    def sizes(data: CorpusStatistics, given, training, device):
        return BiasConfig(**{**given, "vocab_size": data.vocab_size}), []
'''

PROGRAM = """
import sys
from charrnn.models import CELLS
from charrnn.models.families import FAMILIES, Family
from charrnn.tokenizers import TOKENIZERS

CELLS.add("leaky", "toys:Leaky")
TOKENIZERS.add("toy", "toys:ToyTokenizer")
FAMILIES["bias"] = Family("toys:BiasConfig", "toys:BiasModel", recipe="toys:BiasRecipe")

from charrnn.cli.main import main
main()
"""

SMALL = ["--hidden", "8", "--embed", "4", "--batch", "4", "--bptt", "8", "--threads=1"]


def charrnn(*args: str) -> str:
    """Run the program with the toys registered; return its stdout."""
    command = [sys.executable, "-c", PROGRAM, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_toys_train_resume_sample_score_compare_and_appear_in_help(
    tmp_path: Path,
) -> None:
    Path("toys.py").write_text(TOYS)
    Path("corpus.txt").write_text("a dark and stormy night; the rain fell. " * 20)
    toys = ["--cell", "leaky", "--level", "toy", *SMALL, "-o", "leaky", "-q"]

    charrnn("train", "corpus.txt", *toys, "--steps", "6")
    charrnn("train", "corpus.txt", *toys, "--steps", "12")
    bias = ["--family", "bias", "--level", "toy", "--strength", "2", "-o", "bias"]
    charrnn("train", "corpus.txt", *bias, "-q")

    help_page = " ".join(charrnn("train", "--help").split())
    assert all(name in help_page for name in ("leaky", "toy", ", bias", "--strength"))
    assert '"step": 12' in charrnn("runs", "show", "leaky", "--json")
    for run in ("leaky", "bias"):
        sampled = charrnn("sample", "-m", run, "--seed", "1", "-l", "5", "-q")
        assert len(sampled.encode("utf-8", "surrogateescape")) >= 5
        assert float(charrnn("score", "a night", "-m", run, "--plain", "-q")) > 0
    compared = charrnn("compare", "leaky", "bias", "--json", "-q")
    assert "leaky" in compared
    assert "bias" in compared
