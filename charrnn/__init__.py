"""charrnn: train a recurrent language model on your own text, write and score with it.

The files, from what stands on nothing to what stands on all; imports point up this
list only:

    config.py       what can be chosen, as frozen dataclasses
    json_fields.py  these as JSON and back, every name and type checked
    errors.py       what a user can cause, as a tree; exit codes
    files.py        the only module that writes files: atomic, locked
    tokenizers/     base (the contract), char, byte, word, subword
    cells.py        Elman, LSTM, peephole LSTM, GRU, minGRU ...: the equations, once
    models/         inference in NumPy: base (the contract), recurrent, n-gram, mixture
    sources.py      files, folders, stdin -> documents
    store.py        token ids in memory-mapped files
    corpus.py       documents -> training and validation part
    spans.py        documents cut to a bounded length, grouped by length
    batches.py      streams with carried state, or documents by length
    sampling.py     temperature, top-k, top-p, min-p, and the loop
    scoring.py      Score: sums that add up
    held_out.py     pieces of a part: what chooses is not what is reported
    intervals.py    how sure a mean over a text is: a block bootstrap
    mixing.py       how much each model of a mixture should say
    text_model.py   a model with its tokenizer: what charrnn.load returns
    tensor_file.py  a .safetensors file, verified before anything in it is used
    checkpoint.py   a model with its tokenizer as such a file
    runs.py         run folders: naming, the newest, the lock
    baselines.py    what validated a run, and n-grams of what trained it
    comparing.py    several models on the same texts, and whether they differ
    training/       torch: network, layers, schedule, trainer, session ...
    bench/          what this machine does, measured as users meet it
    cli/            one file a command

The public names are imported when they are first used, so that `import charrnn`
costs nothing and loading a model never imports torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from charrnn.config import SampleConfig
    from charrnn.errors import CharRNNError
    from charrnn.models import LanguageModel
    from charrnn.scoring import Score
    from charrnn.text_model import Sample, TextModel

__version__ = "0.1.0"

__all__ = [
    "CharRNNError",
    "LanguageModel",
    "Sample",
    "SampleConfig",
    "Score",
    "TextModel",
    "__version__",
    "load",
    "train",
]

_HOMES = {
    "CharRNNError": "charrnn.errors",
    "LanguageModel": "charrnn.models",
    "Sample": "charrnn.text_model",
    "SampleConfig": "charrnn.config",
    "Score": "charrnn.scoring",
    "TextModel": "charrnn.text_model",
}


def load(path: str | None = None) -> "TextModel":
    """Return the model of a run folder or model file, by default the newest run's.

    Raises NotFoundError if there is none, ModelFileError if the file is damaged.
    """
    from charrnn.checkpoint import load as load_file
    from charrnn.runs import find_model

    return load_file(find_model(path))


def train(*corpus: "str | PathLike[str]", **options: Any) -> "TextModel":
    """Train on texts, as `charrnn train` does, and return the best model.

    options: as on the command line, with _ for - and times in seconds: time_s,
    save_every_s. Raises CharRNNError as the command would, ValueError for an option
    that does not exist.
    """
    from charrnn.training.prepare import train as run

    return load(str(run(corpus, **options)))


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'charrnn' has no attribute {name!r}")
