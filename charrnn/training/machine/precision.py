"""The choice of device and number format, by probing what the machine can run."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import torch

from charrnn.errors import UsageError

HALVES: Final = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> str:
    """Return the torch device for "auto", "cpu" or "cuda:N". Raises UsageError."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise UsageError(
            f"`device` is {name!r}, not a CPU or CUDA device",
            hint="use auto, cpu, cuda or cuda:N",
        )
    if device.type == "cpu":
        return "cpu"
    if (device.index or 0) >= (count := torch.cuda.device_count()):
        found = f"torch finds {count} CUDA devices"
        raise UsageError(f"`device` is {name!r}, but {found}", hint="use cpu")
    return name


def choose_precision(name: str, device: str) -> tuple[str, str]:
    """Return the precision and the reason for it. Raises UsageError if it cannot run.

    bfloat16 doubles training speed on processors that support it (AVX512-BF16, AMX),
    raises an error on some others, and is emulated slowly on the rest.
    """
    if name != "auto":
        if not _trains(name, device):
            raise UsageError(
                f"`precision` is {name}, but torch cannot train in it on {device}",
                hint="leave `precision` unset",
            )
        return name, "as requested"
    if device != "cpu":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16", "this GPU supports bfloat16"
        return "fp16", "this GPU does not support bfloat16"
    if not _multiplies_bf16():
        return "fp32", "this processor does not support bfloat16"
    if not _trains("bf16", device):
        return "fp32", "torch's bfloat16 kernels fail on this processor"
    return "bf16", "this processor supports bfloat16"


def autocast(precision: str, device: str) -> AbstractContextManager[Any]:
    """Return the context in which training steps run at this precision."""
    if precision not in HALVES:
        return nullcontext()
    return torch.autocast(torch.device(device).type, HALVES[precision])


def loss_scaler(precision: str, device: str) -> torch.amp.GradScaler:
    """Return a loss scaler, which prevents underflow in fp16 and is off otherwise."""
    kind = torch.device(device).type
    return torch.amp.GradScaler(kind, enabled=precision == "fp16")


def _multiplies_bf16() -> bool:
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def _trains(precision: str, device: str) -> bool:
    """Return whether an LSTM can train; on some processors, torch raises an error."""
    lstm = torch.nn.LSTM(8, 8, device=device)
    try:
        with autocast(precision, device):
            outputs, _ = lstm(torch.zeros(4, 2, 8, device=device))
        outputs.float().sum().backward()
    except RuntimeError:
        return False
    return True
