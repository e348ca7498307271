"""Which number format training uses on a device: probed, never assumed."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import torch

from charrnn.errors import UsageError

HALVES: Final = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> str:
    """Return the torch device for "auto", "cpu", "cuda"... Raises UsageError."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device is {name!r}", hint="auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"--device is {name!r}", hint="auto, cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(
            f"--device {name}: torch sees {torch.cuda.device_count()} CUDA devices",
            hint="use --device cpu",
        )
    return name if device.type == "cuda" else "cpu"


def choose_precision(name: str, device: str) -> tuple[str, str]:
    """Return the precision to use and why. Raises UsageError if it does not run.

    bfloat16 doubles training speed where the processor multiplies it (AVX512-BF16,
    AMX), raises on some others, and is emulated on the rest.
    """
    if name != "auto":
        if not _trains(name, device):
            raise UsageError(
                f"--precision {name}: torch's kernels do not run on this {device}",
                hint="leave --precision out",
            )
        return name, "as asked"
    if device != "cpu":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16", "this GPU multiplies bfloat16"
        return "fp16", "this GPU has no bfloat16 products"
    if not _multiplies_bf16():
        return "fp32", "this processor has no bfloat16 products"
    if not _trains("bf16", device):
        return "fp32", "torch's bfloat16 kernels do not run on this processor"
    return "bf16", "this processor multiplies bfloat16"


def autocast(precision: str, device: str) -> AbstractContextManager[Any]:
    """Return the context in which a training step computes."""
    if precision not in HALVES:
        return nullcontext()
    return torch.autocast(torch.device(device).type, HALVES[precision])


def loss_scaler(precision: str, device: str) -> torch.amp.GradScaler:
    """Return what keeps gradients within the narrow range of fp16; else it is idle."""
    kind = torch.device(device).type
    return torch.amp.GradScaler(kind, enabled=precision == "fp16")


def _multiplies_bf16() -> bool:
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe, bool)() for probe in probes)


def _trains(precision: str, device: str) -> bool:
    """Run one step of an LSTM; some processors raise here."""
    lstm = torch.nn.LSTM(8, 8, device=device)
    try:
        with autocast(precision, device):
            outputs, _ = lstm(torch.zeros(4, 2, 8, device=device))
        outputs.float().sum().backward()
    except RuntimeError:
        return False
    return True
