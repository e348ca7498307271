"""The saved model or tokenizer that a run starts from."""

import hashlib
from pathlib import Path
from typing import Any

from charrnn.errors import UsageError
from charrnn.inference.text_model import TextModel
from charrnn.models.families import FAMILIES
from charrnn.storage.runs import find_model
from charrnn.tasks import DEFAULT_TASK, TASKS
from charrnn.tasks.base import Task
from charrnn.tokenizers import loading
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.request import Request, refuse_beside
from charrnn.training.session import starting_model


def starting_file(request: Request) -> Path:
    """Return the path of the model that `init_from` names. Raises NotFoundError."""
    return find_model(request.init_from)


def starting_sha256(request: Request) -> str:
    """Return the hash of the model that `init_from` names, or "" if it is not given."""
    if not request.init_from:
        return ""
    return hashlib.sha256(starting_file(request).read_bytes()).hexdigest()


def requested_model(request: Request) -> TextModel | None:
    """Return the model to start from, or None for a new one. Raises UsageError."""
    file = request.file
    if file.recorded and starting_sha256(request) != file.start_sha256:
        raise UsageError(
            f"{request.config} started from {request.init_from}, which has changed",
            hint="without the original model, the run cannot be reproduced",
        )
    if not request.init_from:
        return None
    if not file.recorded:
        given = request.given_of(TokenizerConfig)
        named = [*given, *["tokenizer"] * bool(request.tokenizer)]
        refuse_beside("`init_from`", "a tokenizer", named)
    start = starting_model(starting_file(request))
    sizes = starting_sizes(request, start)
    for name, value in request.sizes.items():
        if name in sizes and value != sizes[name]:
            raise UsageError(
                f"`{name}` is {value}, but the model of `init_from` has {sizes[name]}",
                hint=f"omit `{name}`: the sizes come with the weights",
            )
    return start


def starting_sizes(request: Request, start: TextModel) -> dict[str, Any]:
    """Return the fields of the family's config that follow from the starting model."""
    config = start.model.config_json()
    if start.summary.task == request.task:
        return config
    task: Task[Any] = TASKS[request.task]()
    return task.sizes_like(config)


def requested_family(request: Request, start: TextModel | None) -> str:
    """Return the requested family, that of the starting model, or the default.

    Raises UsageError if the starting model cannot be trained further for the task.
    """
    if not start:
        return request.kind
    family = start.model.family
    if not FAMILIES[family].network:
        raise UsageError(
            f"{request.init_from} has the family {family}, which is not a network",
            hint="`init_from` needs a network, or a mixture with one network",
        )
    if start.summary.task != request.task:
        is_reader = family == "recurrent" and start.model.config_json()["embed"]
        if request.task == DEFAULT_TASK or not is_reader:
            raise UsageError(
                f"{request.init_from} has the task {start.summary.task} and the family"
                f" {family}, so the task {request.task} cannot start from it",
                hint="`init_from` needs a model of the same task or, for an encoder, a"
                " recurrent language model with an embedding",
            )
        return request.kind
    if request.family not in ("", family):
        raise UsageError(
            f"`family` is {request.family}, but {request.init_from} has the family"
            f" {family}",
            hint="omit `family`",
        )
    return family


def requested_tokenizers(
    request: Request, start: TextModel | None
) -> dict[str, Tokenizer]:
    """Return the tokenizers of a starting model, a recorded run or a file, by name.

    The names are the field names of `Tokenizers`. Missing tokenizers are fitted later.
    """
    kind: type[Task[Any]] = TASKS[request.task]
    if start and start.summary.task == request.task:
        found = {"output": start.tokenizer}
        reads = start.source_tokenizer
        return found | {"source": reads} if reads else found
    if start:
        return {kind.reads: start.tokenizer}
    given = requested_tokenizer(request)
    return {kind.reads: given} if given else {}


def requested_tokenizer(request: Request) -> Tokenizer | None:
    """Return the tokenizer of a recorded run or a file, or None to fit a new one."""
    if request.file.tokenizer:
        return loading.from_json(dict(request.file.tokenizer))
    if not request.tokenizer:
        return None
    refuse_beside("`tokenizer`", "a tokenizer", request.given_of(TokenizerConfig))
    return loading.load(Path(request.tokenizer))
