"""A model to save, and the error of a file that is none."""

from pathlib import Path
from typing import Any

import pytest

from charrnn.errors import ModelFileError
from charrnn.inference.checkpoint import load
from charrnn.inference.text_model import TextModel
from charrnn.storage.records import ModelSummary
from support.models import random_text_model

TEXT = "the cat\n"


def some_model(**shape: Any) -> TextModel:
    model = random_text_model(
        [TEXT], **{"hidden": 3, "embed": 2, "cell": "gru"} | shape
    )
    model.summary = ModelSummary(step=7, validation={"nats": 1.25}, learned_end=False)
    return model


def rejected(path: Path, data: bytes) -> ModelFileError:
    """Return the error of loading a file with this content."""
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        load(path)
    return caught.value
