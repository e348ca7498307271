"""The training loop: it learns, measures exactly, stops in time and never keeps NaN."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.networks import evaluate, masks_of, new_network, trainer_of
from torch import Tensor
from torch.nn import functional as F

from charrnn.data import batches, validation
from charrnn.data.config import CorpusConfig
from charrnn.data.corpus import Corpus
from charrnn.data.store import Part, TokenStore
from charrnn.errors import DivergedError
from charrnn.models import CELLS
from charrnn.models.base import log_softmax
from charrnn.models.recurrent.config import RecurrentConfig
from charrnn.models.recurrent.model import RecurrentModel
from charrnn.models.recurrent.network import RecurrentNetwork
from charrnn.text.sources import Source
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.base import BOUNDARY
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.config import TrainConfig
from charrnn.training.events import Event
from charrnn.training.loop.trainer import Trainer

PROSE = "it was a dark and stormy night; the rain fell in torrents, and stopped. "
LINES = "".join(f"{k} green bottle{'s' * (k != 1)}\n" for k in range(120))


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., TokenStore]:
    """Encode a text character by character."""

    def store(text: str, documents: str = "file") -> TokenStore:
        corpus = Corpus(
            [Source("text", text.encode())], CorpusConfig(documents=documents)
        )
        tokenizer = tokenizers.fit(
            corpus.training_texts(), TokenizerConfig(min_count=1)
        )
        return corpus.write_store(tokenizer, tmp_path / "tokens")

    return store


def new_trainer(
    store: TokenStore, *, shape: dict[str, Any] | None = None, **training: Any
) -> Trainer:
    sizes = {"hidden": 8, "embed": 4} | (shape or {})
    config = RecurrentConfig(vocab_size=store.vocab_size, **sizes)
    network = new_network(config)
    plan = {"batch": 4, "bptt": 8, "dropout": 0.0, "precision": "fp32"} | training
    return trainer_of(network, store, TrainConfig(**plan))


def train(trainer: Trainer) -> list[Event]:
    return list(trainer.run())


def of_kind(kind: str, events: list[Event]) -> list[Event]:
    return [event for event in events if event.kind == kind]


def numpy_nats(network: RecurrentNetwork, part: Part) -> float:
    """Return the nats of a part, one token at a time, in NumPy, from the equations."""
    model = RecurrentModel(network.config, network.tensors())
    nats = 0.0
    for start, length in zip(part.starts, part.lengths, strict=True):
        state, before = model.initial_state(1), BOUNDARY
        for target in part.tokens[start + 1 : start + 1 + length].tolist():
            logits, state = model.forward(np.array([[before]]), state)
            nats -= float(log_softmax(logits)[0, 0, target])
            before = target
    return nats


# --- learning


@pytest.mark.parametrize("cell", CELLS)
def test_network_learns_a_text_that_the_last_character_does_not_tell(
    cell: str, stored: Callable[..., TokenStore]
) -> None:
    # after one "a" comes "a" or "b": without a memory, 2/3 ln 2 = 0.46 nats are left
    store = stored("aab" * 400)
    plan = {"steps": 150, "lr": 0.02, "bptt": 12}

    events = train(new_trainer(store, shape={"cell": cell, "hidden": 16}, **plan))

    assert of_kind("validation", events)[-1].values["nats_per_token"] < 0.1


def test_state_is_carried_from_step_to_step_unless_a_row_starts_anew(
    stored: Callable[..., TokenStore],
) -> None:
    # a rate so low that no weight moves
    trainer = new_trainer(stored(PROSE * 20), steps=2, lr=1e-30)
    first, second = (trainer.stages.batch(0, step) for step in (0, 1))
    assert {*second.carried.tolist()} == {False, True}

    loss_nats = of_kind("step", train(trainer))[1].values["loss_nats"]

    nats = 0.0
    for b, is_carried in enumerate(second.carried):
        before = first.inputs[:, b] if is_carried else ()
        inputs = torch.from_numpy(np.concatenate([before, second.inputs[:, b]]))
        state = trainer.state.network.initial_state(1)
        logits, _ = trainer.state.network(inputs.long()[:, None], state)
        targets = torch.from_numpy(second.targets[:, b])
        last = logits[-len(targets) :, 0]
        nats += F.cross_entropy(
            last, targets, ignore_index=batches.IGNORE, reduction="sum"
        ).item()
    assert loss_nats == pytest.approx(nats / second.tokens, rel=1e-5)


def test_clipped_gradient_is_as_long_as_asked(
    stored: Callable[..., TokenStore],
) -> None:
    trainer = new_trainer(stored(PROSE * 9), steps=5, clip=0.01)
    lengths = []

    def note(*_: Any) -> None:
        squares = [p.grad.square().sum() for p in trainer.state.network.parameters()]
        lengths.append(math.sqrt(sum(map(float, squares))))

    trainer.state.optimizer.register_step_pre_hook(note)
    train(trainer)

    assert lengths == pytest.approx([0.01] * 5, rel=1e-3)


def test_weight_decay_shrinks_matrices_and_leaves_vectors(
    stored: Callable[..., TokenStore],
) -> None:
    store = stored(PROSE * 9)
    before = new_trainer(store, steps=1).state.network.tensors()
    plain, decayed = (
        new_trainer(store, steps=1, weight_decay=decay) for decay in (0, 2.0)
    )

    rate = train(plain)[0].values["rate"]
    train(decayed)

    networks = (plain.state.network, decayed.state.network)
    left, right = (network.tensors() for network in networks)
    for name, values in before.items():
        # the rate times the decay times the weight, for a matrix only
        share = rate * 2.0 if values.ndim > 1 else 0
        # 3e-7: the float32 rounding of weights up to 4
        np.testing.assert_allclose(left[name] - right[name], share * values, atol=3e-7)


def test_seeds_of_any_size_draw_dropout_masks(
    stored: Callable[..., TokenStore],
) -> None:
    trainer = new_trainer(stored(PROSE * 9), steps=1, dropout=0.5, seed=2**32 - 1)

    assert len(train(trainer)) == 2


def test_dropout_keeps_the_expectation(stored: Callable[..., TokenStore]) -> None:
    trainer = new_trainer(stored(PROSE * 9), steps=1, dropout=0.3)

    masks = torch.stack([masks_of(trainer, step, 64)[0] for step in range(100)])

    assert masks.unique().tolist() == pytest.approx([0, 1 / 0.7])
    # 51,200 draws, each of spread sqrt(0.3/0.7): five standard errors are 0.0145
    assert masks.mean().item() == pytest.approx(1, abs=0.0145)


def test_dropout_mask_follows_from_seed_and_step(
    stored: Callable[..., TokenStore],
) -> None:
    store = stored(PROSE * 9)
    shape, plan = {"layers": 2, "hidden": 32}, {"steps": 9, "dropout": 0.5}
    first, again, other = (
        new_trainer(store, shape=shape, seed=seed, **plan) for seed in (1, 1, 2)
    )

    masks: list[list[Tensor]] = [
        masks_of(trainer, step, 4) for trainer, step in ((first, 5), (again, 5))
    ]

    assert all(map(torch.equal, *masks))
    assert not torch.equal(masks[0][0], masks[0][1])  # another for each layer
    assert not torch.equal(masks[0][0], masks_of(first, 6, 4)[0])
    assert not torch.equal(masks[0][0], masks_of(other, 5, 4)[0])


def test_dropout_rises_from_the_first_step_to_the_last(
    stored: Callable[..., TokenStore],
) -> None:
    plan = {"steps": 11, "dropout": 0.1, "dropout_rise": 0.6}
    trainer = new_trainer(stored(PROSE * 9), shape={"hidden": 64}, **plan)

    masks = [masks_of(trainer, step, 250) for step in (0, 5, 10)]
    kept = [float((mask[0] > 0).float().mean()) for mask in masks]

    # 16,000 draws: a standard deviation of 0.004 at most, five of them
    middle = 0.1 + 0.6 * 5 / 11
    assert kept == pytest.approx([0.9, 1 - middle, 1 - 0.1 - 0.6 * 10 / 11], abs=0.02)


# --- validation


@pytest.mark.parametrize("documents", ["file", "line"])
@pytest.mark.parametrize("cell", ["gru", "lstm-peephole", "mingru"])
def test_validation_is_the_score_of_one_token_after_the_other(
    cell: str, documents: str, stored: Callable[..., TokenStore]
) -> None:
    store = stored(LINES, documents)
    trainer = new_trainer(store, shape={"cell": cell}, steps=20, lr=0.02)
    train(trainer)

    score = evaluate(trainer.state.network, store.valid)

    # 1e-5: float32, the same operations in another order
    assert score.nats == pytest.approx(
        numpy_nats(trainer.state.network, store.valid), rel=1e-5
    )
    assert score.tokens == store.valid.targets


def test_pieces_of_a_long_document_score_nearly_as_the_whole(
    stored: Callable[..., TokenStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored(PROSE * 60)
    trainer = new_trainer(store, steps=60, lr=0.02)
    train(trainer)
    whole = evaluate(trainer.state.network, store.valid)
    monkeypatch.setattr(validation, "SEGMENT", 64)
    monkeypatch.setattr(validation, "WARM_UP", 32)
    monkeypatch.setattr(validation, "VALIDATION_WINDOW", 24)

    pieces = evaluate(trainer.state.network, store.valid)

    assert whole.tokens == pieces.tokens == store.valid.targets
    # 32 tokens of warm-up bring the state of this network near to what it would be
    assert pieces.nats == pytest.approx(whole.nats, rel=1e-3)
    assert pieces.nats != whole.nats


def test_patience_ends_a_run_that_no_longer_improves(
    stored: Callable[..., TokenStore],
) -> None:
    # at this rate no weight moves: the first validation is the best, the others equal
    trainer = new_trainer(stored(PROSE * 9), steps=100, lr=1e-30, patience=3)

    events = train(trainer)

    assert [event.step for event in of_kind("validation", events)] == [10, 20, 30, 40]
    assert trainer.state.counters.finished
    assert trainer.state.counters.best_nats < math.inf


# --- NaN


def test_loss_that_is_no_number_is_said_before_it_reaches_the_weights(
    stored: Callable[..., TokenStore],
) -> None:
    trainer = new_trainer(stored(PROSE * 9), steps=9)
    running = trainer.run()
    next(running)
    before = trainer.state.network.tensors()
    trainer.state.network.register_forward_hook(
        lambda m, a, out: (out[0] * math.nan, out[1])
    )

    with pytest.raises(DivergedError, match="loss is nan.*step 1"):
        list(running)

    after = trainer.state.network.tensors()
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_gradient_that_is_no_number_does_not_reach_the_weights(
    factor: float, stored: Callable[..., TokenStore]
) -> None:
    trainer = new_trainer(stored(PROSE * 9), steps=9)
    before = trainer.state.network.tensors()
    trainer.state.network.weights()["head.bias"].register_hook(
        lambda grad: grad * factor
    )

    with pytest.raises(DivergedError, match="gradient (nan|inf)"):
        train(trainer)

    after = trainer.state.network.tensors()
    assert all(np.array_equal(before[name], after[name]) for name in before)
