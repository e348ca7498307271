"""Model files: tensors, configuration, tokenizer and summary, in one file."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from charrnn.errors import CharRNNError, ModelFileError
from charrnn.inference.text_model import TextModel
from charrnn.models import base as models
from charrnn.storage import tensors as tensor_file
from charrnn.storage.runs import MODEL_FILE, Run, all_runs
from charrnn.storage.tensors import read_tensors, write_tensors
from charrnn.tokenizers import loading as tokenizers

MOST_NEIGHBOURS: Final = 3  # to try when a model is damaged


def save(path: Path, model: TextModel) -> None:
    """Publish a model file. Raises ResourceError if it cannot be written."""
    write_tensors(path, model.model.tensors(), _described(model))


def size_bytes(model: TextModel) -> int:
    """Return how large the file of a model is."""
    return tensor_file.size_bytes(model.model.tensors(), _described(model))


def _described(model: TextModel) -> dict[str, Any]:
    return {
        "config": model.model.config_json() | {"family": model.model.family},
        "tokenizer": model.tokenizer.to_json(),
        "summary": model.summary,
    }


def load(path: Path, *, name: str = "") -> TextModel:
    """Read, verify and rebuild a model.

    Raises NotFoundError if there is no file, ModelFileError if it is damaged,
    foreign, or of a newer version; it names another that is intact, if any, where the
    name is that of a model.
    """
    try:
        return _load(path, name or str(path))
    except ModelFileError as error:
        # a text may be named by mistake: that is not damaged
        is_model = path.suffix == ".safetensors"
        if is_model and (other := _intact_neighbour(path)):
            error.hint = f"{other} is intact: use that one, or copy this one again"
        raise


def _load(path: Path, name: str) -> TextModel:
    tensors, meta = read_tensors(path)
    try:
        config = dict(meta["config"])
        model = models.build(config.pop("family"), config, tensors)
        tokenizer = tokenizers.from_json(dict(meta["tokenizer"]))
        summary = dict(meta["summary"])
        return TextModel(model, tokenizer, summary=summary, name=name)
    except (KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(
            f"{path} does not describe a model: {why}",
            hint="copy it again, or train it again",
        ) from error


def _intact_neighbour(path: Path) -> Path | None:
    """Return a model that loads: the newest in the folder, or of the runs beside it."""
    run = Run(path.parent)
    found = set(run.path.glob("*.safetensors")) - {run.resume, run.previous}
    if path.name == MODEL_FILE:
        found |= {run.model for run in all_runs(path.parent.parent)}
    others = [other for other in found - {path} if other.is_file()]
    others.sort(key=lambda other: other.stat().st_mtime_ns, reverse=True)
    for other in others[:MOST_NEIGHBOURS]:
        with suppress(CharRNNError):
            _load(other, "")
            return other
    return None
