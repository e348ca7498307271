"""What is measured on: made-up texts, and a model of random weights.

The speed of a network depends on its size, not on what it has learned.
"""

import string
from pathlib import Path
from typing import TYPE_CHECKING, Final

from charrnn.bench.plan import Plan
from charrnn.data.config import CorpusConfig
from charrnn.data.store import TokenStore
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.storage import files
from charrnn.tokenizers.base import BOUNDARY, Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.loading import fit

if TYPE_CHECKING:
    from charrnn.models.base import Floats

ALPHABET: Final = string.ascii_letters + " \n.,;:!?'-\""
NEVER: Final = -1e4  #: a logit that is never drawn


def random_text(characters: int) -> str:
    """Return letters in no order."""
    import numpy as np

    drawn = np.random.default_rng(1).integers(len(ALPHABET), size=characters)
    return "".join(ALPHABET[k] for k in drawn.tolist())


def random_sentences(count: int, characters: int) -> list[str]:
    """Return texts of so many characters each."""
    text = random_text(count * characters)
    return [text[k : k + characters] for k in range(0, len(text), characters)]


def random_words(count: int) -> str:
    """Return lines of words, of which few are frequent and many rare, as in a text."""
    import numpy as np

    rng = np.random.default_rng(1)
    letters = list(string.ascii_lowercase)
    sizes = rng.integers(1, 11, 5000)
    words = ["".join(rng.choice(letters, size)) for size in sizes]
    # the k-th word is 1/k as frequent as the first (Zipf 1935)
    chances = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, count, p=chances / chances.sum()).tolist()
    return "\n".join(" ".join(drawn[k : k + 12]) for k in range(0, count, 12))


def tokenizer() -> Tokenizer:
    """Return the char tokenizer of the texts without words, V = 65."""
    return fit([ALPHABET], TokenizerConfig(min_count=1))


def random_store(folder: Path, characters: int) -> TokenStore:
    """Write a random text, and its tokens as `charrnn train` stores them."""
    from charrnn.data.corpus import Corpus
    from charrnn.text.sources import find_sources

    path = folder / "random.txt"
    files.write(path, random_text(characters).encode())
    corpus = Corpus(find_sources([str(path)]), CorpusConfig())
    return corpus.write_store(tokenizer(), folder / "tokens")


def write_model(plan: Plan) -> None:
    """Write the model file that samples and scores; it never ends a text."""
    from charrnn.inference import checkpoint
    from charrnn.inference.text_model import TextModel
    from charrnn.models.recurrent.model import RecurrentModel

    model = RecurrentModel(plan.network, _random_tensors(plan.network))
    summary = {"learned_end": False}
    checkpoint.save(plan.model, TextModel(model, tokenizer(), summary=summary))


def _random_tensors(network: RecurrentConfig) -> dict[str, "Floats"]:
    import numpy as np

    from charrnn.models.recurrent.model import parameter_shapes

    rng = np.random.default_rng(1)
    tensors = {
        name: rng.normal(0, 1 / np.sqrt(shape[-1]), shape).astype(np.float32)
        for name, shape in parameter_shapes(network).items()
    }
    tensors["head.bias"][BOUNDARY] = NEVER
    return tensors
