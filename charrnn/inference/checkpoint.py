"""Model files, which contain tensors, a configuration, a tokenizer and a summary."""

from pathlib import Path
from typing import Any

from charrnn.errors import ModelFileError
from charrnn.inference.text_model import TextModel
from charrnn.models import base as models
from charrnn.models.families import FAMILIES
from charrnn.storage import tensors as tensor_file
from charrnn.storage.records import ModelSummary
from charrnn.storage.tensors import COPY_AGAIN, read_tensors, write_tensors
from charrnn.tokenizers import loading as tokenizers


def save(path: Path, model: TextModel) -> None:
    """Write a model file atomically. Raises ResourceError if it cannot be written."""
    write_tensors(path, model.model.tensors(), _metadata(model))


def size_bytes(model: TextModel) -> int:
    """Return the size of the file that `save` would write."""
    return tensor_file.size_bytes(model.model.tensors(), _metadata(model))


def _metadata(model: TextModel) -> dict[str, Any]:
    reads = model.source_tokenizer
    return {
        "config": model.model.config_json() | {"family": model.model.family},
        "tokenizer": model.tokenizer.to_json(),
        **({"source_tokenizer": reads.to_json()} if reads else {}),
        "summary": model.summary.to_json(),
    }


def load(path: Path, *, name: str = "") -> TextModel:
    """Read, verify and rebuild a model.

    Raises NotFoundError if the file does not exist, or ModelFileError if it is damaged,
    not a model, or from a newer version.
    """
    tensors, meta = read_tensors(path)
    try:
        config = dict(meta["config"])
        model = models.build(config.pop("family"), config, tensors)
        tokenizer = tokenizers.from_json(dict(meta["tokenizer"]))
        reads = meta.get("source_tokenizer")
        source = tokenizers.from_json(dict(reads)) if reads else None
        summary = ModelSummary.from_json(meta["summary"])
        for member in getattr(model, "members", (model,)):
            if summary.task not in FAMILIES[member.family].tasks:
                raise ValueError(f"{member.family} has no task {summary.task!r}")
        name = name or str(path)
        return TextModel(
            model,
            tokenizer,
            source_tokenizer=source,
            summary=summary,
            name=name,
            source=path,
        )
    except (KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else error
        raise ModelFileError(
            f"{path} does not describe a model: {why}", hint=COPY_AGAIN
        ) from error
