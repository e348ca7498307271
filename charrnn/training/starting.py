"""The saved model or tokenizer that a run starts from."""

import hashlib
from pathlib import Path

from charrnn.errors import UsageError
from charrnn.inference.text_model import TextModel
from charrnn.models.families import FAMILIES
from charrnn.storage.runs import find_model
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.request import Request, refuse_beside
from charrnn.training.session import starting_model


def starting_file(request: Request) -> Path:
    """Return the path of the model that `init_from` names. Raises NotFoundError."""
    return find_model(request.init_from)


def starting_sha256(request: Request) -> str:
    """Return the hash of the model that `init_from` names, "" if it is not given."""
    if not request.init_from:
        return ""
    return hashlib.sha256(starting_file(request).read_bytes()).hexdigest()


def requested_model(request: Request) -> TextModel | None:
    """Return the model to start from, or None for a new one. Raises UsageError."""
    file = request.file
    if file.recorded and starting_sha256(request) != file.start_sha256:
        raise UsageError(
            f"{request.config} started from {request.init_from}, which has changed",
            hint="its weights cannot be reproduced without that model",
        )
    if not request.init_from:
        return None
    if not file.recorded:
        given = request.given_of(TokenizerConfig)
        named = [*given, *["tokenizer"] * bool(request.tokenizer)]
        refuse_beside("`init_from`", "a tokenizer", named)
    start = starting_model(starting_file(request))
    sizes = start.model.config_json()
    for name, value in request.given_of(
        FAMILIES[start.model.family].config_type
    ).items():
        if value != sizes.get(name):
            raise UsageError(
                f"`{name}` is {value}, but the model of `init_from` has"
                f" {sizes.get(name)}",
                hint=f"omit `{name}`: the sizes come with the weights",
            )
    return start


def requested_family(request: Request, start: TextModel | None) -> str:
    """Return the family to train: requested, of the starting model, or the default."""
    if not start:
        return request.kind
    family = start.model.family
    if not FAMILIES[family].network:
        raise UsageError(
            f"{request.init_from} is of the family {family}, which is not a network",
            hint="`init_from` needs a network, or a mixture with one network",
        )
    if request.family not in ("", family):
        raise UsageError(
            f"`family` is {request.family}, but {request.init_from} is of the family"
            f" {family}",
            hint="omit `family`",
        )
    return family


def requested_tokenizer(request: Request) -> Tokenizer | None:
    """Return the tokenizer of a recorded run or a file, or None to fit a new one."""
    if request.file.tokenizer:
        return loading.from_json(dict(request.file.tokenizer))
    if not request.tokenizer:
        return None
    refuse_beside("`tokenizer`", "a tokenizer", request.given_of(TokenizerConfig))
    return loading.load(Path(request.tokenizer))
