"""Snapshots: files with the `TrainState` of a run, from which it resumes exactly.

param.NAME, average.NAME                     tensors of the network and the average
exp_avg.NAME, exp_avg_sq.NAME                Adam's moments
state.K                                      arrays (B, ...) of the carried state
metadata: the counters, the marks of the schedule, the loss scale of fp16
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from charrnn.errors import ModelFileError, NotFoundError
from charrnn.models.base import under
from charrnn.storage import files
from charrnn.storage.runs import Run
from charrnn.storage.tensors import RESUME_FORMAT, read_tensors, write_tensors
from charrnn.training.events import Counters
from charrnn.training.loop.schedule import Mark
from charrnn.training.loop.state import TrainState

Arrays = dict[str, npt.NDArray[Any]]

MOMENTS: Final = ("exp_avg", "exp_avg_sq")


def save_snapshot(run: Run, state: TrainState) -> None:
    """Save a state and keep the previous snapshot. Raises ResourceError."""
    tensors: Arrays = {}
    for kind, network in (("param", state.network), ("average", state.average)):
        found = network.state_dict().items()
        tensors |= {f"{kind}.{name}": _array(x) for name, x in found}
    for name, parameter in state.network.weights().items():
        moments = state.optimizer.state.get(parameter, {})
        tensors |= {f"{m}.{name}": _array(moments[m]) for m in MOMENTS if m in moments}
    for k, array in enumerate(state.carried or ()):
        tensors[f"state.{k}"] = _array(array)
    meta = {
        "counters": dataclasses.asdict(state.counters),
        "marks": [dataclasses.asdict(mark) for mark in state.schedule.marks],
        "scaler": state.scaler.state_dict(),
    }
    write_tensors(run.resume, tensors, meta, kind=RESUME_FORMAT, keep=run.previous)


def restore(run: Run, state: TrainState) -> str:
    """Load the last intact snapshot, if there is any, into a new state.

    Returns a warning for the user, which is normally "". Raises ModelFileError if there
    are snapshots but none is intact.
    """
    try:
        _load(run.resume, state)
    except (NotFoundError, ModelFileError) as error:
        if run.previous.is_file():
            _load(run.previous, state)
            # otherwise the next save would keep the damaged snapshot
            files.replace(run.previous, run.resume)
            step = state.counters.step
            return f"{error.message}; resuming from the save before it, step {step:,}"
        if run.resume.is_file():
            raise
    return ""


def _load(path: Path, state: TrainState) -> None:
    tensors, meta = read_tensors(path, kind=RESUME_FORMAT)
    try:
        state.counters = Counters(**meta["counters"])
        state.schedule.marks = [Mark(**mark) for mark in meta["marks"]]
        state.scaler.load_state_dict(meta["scaler"])
        state.network.load(under("param.", tensors))
        state.average.load(under("average.", tensors))
        _load_moments(state, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{path} does not fit this run: {error}", hint="start over with `new`"
        ) from error
    device = next(state.network.parameters()).device
    carried = under("state.", tensors)
    arrays = [torch.from_numpy(carried[str(k)]).to(device) for k in range(len(carried))]
    state.carried = tuple(arrays) or None


def _load_moments(state: TrainState, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    moments = {moment: under(f"{moment}.", tensors) for moment in MOMENTS}
    steps = float(state.counters.step)
    for name, parameter in state.network.weights().items():
        found = {
            moment: torch.from_numpy(np.array(arrays[name])).to(parameter.device)
            for moment, arrays in moments.items()
            if name in arrays
        }
        if found:
            # on the device, because the fused optimizer counts there
            count = torch.tensor(steps, device=parameter.device)
            state.optimizer.state[parameter] = {"step": count} | found


def _array(tensor: torch.Tensor) -> npt.NDArray[Any]:
    return tensor.detach().cpu().numpy()
