"""charrnn: train recurrent networks on your own text; write, score and predict.

The map, in import order: a folder imports those above it.

    errors.py       what a user can cause to go wrong, and exit codes
    registry.py     names to objects, imported on first use
    fields.py       an option is a field of a frozen dataclass; JSON and back
    storage/        bytes on disk: the only writer of files, tensors, run folders
    text/           files, folders and stdin -> documents
    tokenizers/     text <-> ids: char, byte, word, subword, symbol, features
    data/           documents or labelled examples -> parts on disk -> batches
    models/         (state, tokens) -> (logits, state): cells, and a folder per family
    inference/      a model writes, scores, predicts and is compared, in NumPy
    tasks/          what is predicted from what, and how well
    reports/        pictures of results
    training/       torch: from a request to a plan to a session; the loop
    bench/          how fast this machine is
    cli/            a file or folder for each command

The public names are imported when they are first used, so that `import charrnn`
costs nothing and loading a model never imports torch.
"""

from typing import TYPE_CHECKING, Any

from charrnn.registry import Registry

if TYPE_CHECKING:
    from os import PathLike

    from charrnn.errors import CharRNNError
    from charrnn.inference.config import SampleConfig
    from charrnn.inference.score import Score
    from charrnn.inference.text_model import TextModel
    from charrnn.inference.writing import Sample
    from charrnn.models.base import LanguageModel

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

_PUBLIC = Registry(
    "public name",
    {
        "CharRNNError": "charrnn.errors:CharRNNError",
        "LanguageModel": "charrnn.models.base:LanguageModel",
        "Sample": "charrnn.inference.writing:Sample",
        "SampleConfig": "charrnn.inference.config:SampleConfig",
        "Score": "charrnn.inference.score:Score",
        "TextModel": "charrnn.inference.text_model:TextModel",
    },
)


def load(path: str | None = None) -> "TextModel":
    """Return the model of a run folder or model file, by default the newest run's.

    Raises NotFoundError if there is none, ModelFileError if the file is damaged.
    """
    from charrnn.inference.checkpoint import load as load_file
    from charrnn.storage.runs import find_model

    return load_file(find_model(path))


def train(*corpus: "str | PathLike[str]", **options: Any) -> "TextModel":
    """Train on texts, as `charrnn train` does, and return the best model.

    options: as on the command line, with _ for -; a time is a number of seconds, or
    text such as "5m". Raises CharRNNError as the command would, ValueError for an
    option that does not exist.
    """
    from charrnn.training.prepare import train as run

    return load(str(run(corpus, **options)))


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return _PUBLIC[name]
    raise AttributeError(f"module 'charrnn' has no attribute {name!r}")
