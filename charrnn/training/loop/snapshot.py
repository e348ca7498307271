"""Everything that training needs to go on exactly, as one file.

param.NAME, average.NAME                     parameters, and their average
exp_avg.NAME, exp_avg_sq.NAME                Adam's moments
state.K                                      the carried state, (B, ...) each
metadata: the counters, the marks of the schedule, the scale of fp16's loss
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from charrnn.errors import ModelFileError, NotFoundError
from charrnn.storage import files
from charrnn.storage.runs import Run
from charrnn.storage.tensors import RESUME_FORMAT, read_tensors, write_tensors
from charrnn.training.events import Counters
from charrnn.training.loop.schedule import Mark
from charrnn.training.loop.trainer import Trainer

MOMENTS = ("exp_avg", "exp_avg_sq")


def save_snapshot(run: Run, trainer: Trainer) -> None:
    """Publish what `trainer` needs to go on; keep the save before. ResourceError."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, parameter in trainer.network.named().items():
        tensors[f"param.{name}"] = _array(parameter)
        tensors[f"average.{name}"] = _array(trainer.average.parameter(name))
        moments = trainer.optimizer.state.get(parameter, {})
        tensors |= {f"{m}.{name}": _array(moments[m]) for m in MOMENTS if m in moments}
    for k, array in enumerate(trainer.state or ()):
        tensors[f"state.{k}"] = _array(array)
    meta = {
        "counters": dataclasses.asdict(trainer.counters),
        "marks": [dataclasses.asdict(mark) for mark in trainer.schedule.marks],
        "scaler": trainer.scaler.state_dict(),
    }
    write_tensors(run.resume, tensors, meta, kind=RESUME_FORMAT, keep=run.previous)


def restore(run: Run, trainer: Trainer) -> str:
    """Bring a fresh trainer to the last save that is intact, if there is any.

    Returns what a person should know, mostly nothing. Raises ModelFileError if no
    save is intact.
    """
    try:
        _load(run.resume, trainer)
    except (NotFoundError, ModelFileError) as error:
        if run.previous.is_file():
            _load(run.previous, trainer)
            files.replace(run.previous, run.resume)  # lest the next save keep a wreck
            step = trainer.counters.step
            return f"{error.message}; going on from the save before it, step {step:,}"
        if run.resume.is_file():
            raise
    return ""


def _load(path: Path, trainer: Trainer) -> None:
    tensors, meta = read_tensors(path, kind=RESUME_FORMAT)
    try:
        trainer.counters = Counters(**meta["counters"])
        trainer.schedule.marks = [Mark(**mark) for mark in meta["marks"]]
        trainer.scaler.load_state_dict(meta["scaler"])
        trainer.network.load(_group("param.", tensors))
        trainer.average.load(_group("average.", tensors))
        _load_moments(trainer, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} does not fit this run: {error}", hint="start afresh: --new"
        ) from error
    device = trainer.config.device
    carried = _group("state.", tensors)
    arrays = [torch.from_numpy(carried[str(k)]).to(device) for k in range(len(carried))]
    trainer.state = tuple(arrays) or None


def _load_moments(trainer: Trainer, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    moments = {moment: _group(f"{moment}.", tensors) for moment in MOMENTS}
    steps = float(trainer.counters.step)
    for name, parameter in trainer.network.named().items():
        state = {
            moment: torch.from_numpy(np.array(found[name])).to(parameter.device)
            for moment, found in moments.items()
            if name in found
        }
        if state:
            # on the device, where the fused optimizer counts
            count = torch.tensor(steps, device=parameter.device)
            trainer.optimizer.state[parameter] = {"step": count} | state


def _group(
    prefix: str, tensors: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    return {
        n.removeprefix(prefix): x for n, x in tensors.items() if n.startswith(prefix)
    }


def _array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    return tensor.detach().cpu().numpy()
