"""Number formats: probed before use, and fp16 with a scaled loss."""

import math
from dataclasses import replace

import numpy as np
import pytest
from support.training import request, same, train

from charrnn.errors import DivergedError, UsageError
from charrnn.training.machine import precision
from charrnn.training.machine.precision import choose_precision, loss_scaler
from charrnn.training.prepare import open_session
from charrnn.training.request import Request


def test_precision_whose_kernels_raise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "_trains", lambda name, device: name == "fp32")

    with pytest.raises(UsageError, match="fp16, but torch cannot train"):
        choose_precision("fp16", "cpu")


def test_auto_falls_back_to_float32_where_bfloat16_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "_multiplies_bf16", lambda: True)
    monkeypatch.setattr(precision, "_trains", lambda name, device: name == "fp32")

    chosen, why = choose_precision("auto", "cpu")

    assert chosen == "fp32"
    assert "kernels fail" in why


def test_only_half_precision_scales_its_loss() -> None:
    names = ("fp32", "bf16", "fp16")

    assert [loss_scaler(name, "cpu").is_enabled() for name in names] == [0, 0, 1]


# --- fp16, by the GRU, whose kernel runs it on every processor


@pytest.fixture
def half(small_corpora: None, monkeypatch: pytest.MonkeyPatch) -> Request:
    """Return a request for a small run in fp16."""
    monkeypatch.setattr(precision, "_trains", lambda name, device: True)
    return request(precision="fp16", cell="gru")


def test_run_in_half_precision_learns_and_goes_on_exactly(half: Request) -> None:
    whole = train(replace(half, out="whole"))
    train(replace(half, out="parts"), until=9)

    parts = train(replace(half, out="parts"))

    assert same(whole, parts)
    assert (
        whole.trainer.state.scaler.get_scale() == parts.trainer.state.scaler.get_scale()
    )
    assert whole.trainer.state.counters.best_nats < math.log(whole.store.vocab_size)


def test_step_whose_gradient_overflows_is_left_out(half: Request) -> None:
    with open_session(half) as session:
        trainer = session.trainer
        before, scale = (
            trainer.state.network.tensors(),
            trainer.state.scaler.get_scale(),
        )
        bias = trainer.state.network.weights()["head.bias"]
        bias.register_hook(lambda gradient: gradient * math.inf)

        next(trainer.run())

        after = trainer.state.network.tensors()
        assert all(np.array_equal(before[name], after[name]) for name in before)
        assert trainer.state.scaler.get_scale() == scale / 2


def test_run_whose_every_step_overflows_has_diverged(half: Request) -> None:
    with open_session(half) as session:
        bias = session.trainer.state.network.weights()["head.bias"]
        bias.register_hook(lambda gradient: gradient * math.inf)

        with pytest.raises(DivergedError, match="gradient (inf|nan)"):
            for _ in session.trainer.run():
                pass
