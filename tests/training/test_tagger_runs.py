"""Training taggers, which also store which words they know."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.training import same, train

from charrnn.models.labeller.model import HASHES
from charrnn.training.gradient_session import GradientSession
from charrnn.training.request import Request

PETS = "the D\n{} N\nsat V\n\n"
SHIPS = "a D\n{} N\ncalls V\nthe D\n{} N\n\n"


@pytest.fixture(autouse=True)
def sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"pets": PETS, "ships": SHIPS}.items():
        lines = (text.replace("{}", f"{name}{k // 2}") for k in range(80))
        Path(f"{name}.conll").write_text("".join(lines))


def tagging(name: str, **given: Any) -> Request:
    sizes = {"hidden": 6, "embed": 4, "batch": 4, "threads": 1, "precision": "fp32"}
    options = sizes | {"task": "tag", "steps": 12, "dropout": 0.3} | given
    return Request.of((f"{name}.conll",), **options)


def known(session: GradientSession) -> list[int]:
    hashes: list[int] = session.trainer.state.network.tensors()[HASHES].tolist()
    assert session.trainer.state.average.tensors()[HASHES].tolist() == hashes
    return hashes


@pytest.mark.parametrize("until", [1, 5])
def test_stopped_and_resumed_tagger_is_that_of_one_run(until: int) -> None:
    whole = train(tagging("pets", out="whole"))

    train(tagging("pets", out="parts"), until=until)
    resumed = train(tagging("pets", out="parts"))

    assert same(resumed, whole)
    assert known(resumed) == known(whole) == sorted(known(whole))
    assert np.any(known(whole))


def test_tagger_that_starts_from_another_keeps_the_words_that_it_knows() -> None:
    start = train(tagging("pets", out="start"))
    training = {"task": "tag", "steps": 6, "batch": 4, "threads": 1}
    request = Request.of(("ships.conll",), out="next", init_from="start", **training)

    train(request, until=3)
    resumed = train(request)

    assert known(resumed) == known(start)
    assert known(resumed) != known(train(tagging("ships", out="other")))
