"""Whole model files with contents that do not fit, and contents changed by chance."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt

from charrnn.models.labeller.config import LabellerConfig
from charrnn.models.labeller.model import parameter_shapes

Tensors = dict[str, npt.NDArray[Any]]
Meta = dict[str, Any]
Change = Callable[[Tensors, Meta], object]

HUGE = 2**60


def config(**values: Any) -> Change:
    """Change values of the config."""
    return lambda tensors, meta: meta["config"].update(values)


def set_at(name: str, values: Any, dtype: Any = None) -> Change:
    """Replace a tensor."""

    def change(tensors: Tensors, meta: Meta) -> None:
        tensors[name] = np.asarray(values, dtype or tensors[name].dtype)

    return change


def member(number: int, **values: Any) -> Change:
    """Change values of the config of a member."""
    return lambda tensors, meta: meta["config"]["members"][number].update(values)


def without(key: str) -> Change:
    """Leave out a part of the metadata."""
    return lambda tensors, meta: meta.pop(key)


def meta_of(key: str, value: Any) -> Change:
    """Replace a part of the metadata."""
    return lambda tensors, meta: meta.update({key: value})


def long_chain(tensors: Tensors, meta: Meta) -> None:
    """Let a small file have transitions of many gigabytes."""
    V = 60_000
    spans = ("", "", *(f"B-{k}" for k in range(V - 2)))
    shape = LabellerConfig(V, 4, hidden=1, embed=1, per_word=True)
    tensors.clear()
    tensors.update({n: np.zeros(x, "f4") for n, x in parameter_shapes(shape).items()})
    meta["config"] = {"family": "labeller", "vocab_size": V, "source_size": 4}
    meta["config"] |= {"hidden": 1, "embed": 1, "per_word": True, "spans": spans}


SOURCE = {"level": "char", "characters": ["a", "b"]}
#: integers that are sorted, but only modulo 2^64
AROUND = [2**62, -(2**63), -(2**62)]

#: the family of the file, and what is wrong with it
CONTENTS: dict[str, tuple[str, Change]] = {
    "hashes out of order": ("tagger", set_at("words.hashes", [3, 2, 1])),
    "hashes twice": ("tagger", set_at("words.hashes", [1, 1, 2])),
    "hashes that are no integers": ("tagger", set_at("words.hashes", [1, 2, 3], "f4")),
    "too few hashes": ("tagger", set_at("words.hashes", [1, 2])),
    "hashes without words": ("tagger", config(words=0)),
    "2^60 words": ("tagger", config(words=HUGE)),
    "negative words": ("tagger", config(words=-3)),
    "2^60 labels": ("tagger", config(vocab_size=HUGE)),
    "2^60 inputs": ("tagger", config(source_size=HUGE)),
    "2^60 letters": ("tagger", config(letter_hidden=HUGE)),
    "layers without end": ("classifier", config(layers=10**15)),
    "too few spans": ("tagger", config(spans=["", "", "B-X"])),
    "spans that are numbers": ("tagger", config(spans=[1, 2, 3, 4, 5, 6])),
    "spans that are a text": ("tagger", config(spans="abcdef")),
    "a chain of 60,000 labels": ("tagger", long_chain),
    "transitions that are missing": (
        "tagger", lambda tensors, meta: tensors.pop("transitions.weight")
    ),
    "transitions of integers": (
        "tagger", set_at("transitions.weight", np.zeros((6, 6)), "i8")
    ),
    "temperature of 0": ("classifier", config(temperature=0.0)),
    "temperature below 0": ("classifier", config(temperature=-1.0)),
    "temperature that is no number": ("classifier", config(temperature=float("nan"))),
    "temperature without end": ("classifier", config(temperature=float("inf"))),
    "temperature that is a text": ("classifier", config(temperature="1.0")),
    "read-out that is a module": ("classifier", config(read_out="os:system")),
    "a tagger without unknown": ("tagger", config(per_word=True, vocab_size=1)),
    "copies beyond the outputs": ("translator", config(copies=[0, 0, 2, 3, 99])),
    "copies below 0": ("translator", config(copies=[0, 0, -1, -1, -1])),
    "too few copies": ("translator", config(copies=[0, 0])),
    "copies that are texts": ("translator", config(copies=["a"] * 5)),
    "copies without a gate": (
        "translator", lambda tensors, meta: tensors.pop("gate.weight")
    ),
    "copies without attention": ("translator", config(attention="none")),
    "attention that is a module": ("translator", config(attention="os:system")),
    "cell that is a module": ("translator", config(cell="os:system")),
    "no tokenizer of inputs": ("translator", without("source_tokenizer")),
    "an empty tokenizer of inputs": ("tagger", meta_of("source_tokenizer", {})),
    "a tokenizer of other inputs": ("classifier", meta_of("source_tokenizer", SOURCE)),
    "a tokenizer of inputs that is a text": (
        "classifier", meta_of("source_tokenizer", "char")
    ),
    "inputs of a model without": ("recurrent", meta_of("source_tokenizer", SOURCE)),
    "outputs for inputs": (
        "classifier",
        lambda tensors, meta: meta.update(source_tokenizer=meta["tokenizer"]),
    ),
    "a task of others": ("tagger", meta_of("summary", {"task": "translate"})),
    "no task": ("translator", meta_of("summary", {})),
    "a task that is a module": ("classifier", meta_of("summary", {"task": "os:path"})),
    "tasks": ("classifier", meta_of("summary", {"task": ["classify"]})),
    "a task of a language model": ("recurrent", meta_of("summary", {"task": "tag"})),
    "labels around the integers": ("bayes", set_at("labels", AROUND)),
    "labels beyond the vocabulary": ("bayes", set_at("labels", [1, 2, 9])),
    "counts of labels that overflow": (
        "bayes", set_at("label_counts", [2**63 - 1, 2**63 - 1, 9])
    ),
    "sizes of pieces that overflow": (
        "bayes", lambda tensors, meta: tensors["piece_sizes"].fill(2**62)
    ),
    "keys out of order": (
        "bayes", lambda tensors, meta: tensors["keys"].sort(kind="stable")
        or tensors.update(keys=tensors["keys"][::-1])
    ),
    "counts of 0": ("bayes", lambda tensors, meta: tensors["counts"].fill(0)),
    "smoothing of 0": ("bayes", config(smoothing=0.0)),
    "smoothing that is no number": ("bayes", config(smoothing=float("nan"))),
    "weights without end": ("bayes", config(weights=[float("inf")] * 7)),
    "too many weights": ("bayes", config(weights=[1.0] * 99)),
    "a product of weights of 0": ("product", config(weights=[0.0, 1.0])),
    "a product of no numbers": ("product", config(weights=[float("nan"), 1.0])),
    "a product of nothing": ("product", config(weights=[], members=[])),
    "a product of a language model": ("product", member(0, family="recurrent")),
    "a product in itself": ("product", member(0, family="product")),
    "a member of other inputs": ("product", member(1, source_size=3)),
    "a member of other labels": ("product", member(1, vocab_size=3)),
}  # fmt: skip


VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 3, 7, 2**31, HUGE, -HUGE, 10**400, 1e308, 1e-320,
    0.0, -0.0, float("nan"), float("inf"), -float("inf"), "", "x", "nan", "\ud800",
    "\0", "B-X", "translate", "classify", "lstm", "none", [], {}, [0], [1, 2], {"a": 1},
)  # fmt: skip
NUMBERS = (np.nan, np.inf, -np.inf, 3e38, -3e38, 1e30, 0.0, 1e-40)
TYPES = ("f4", "f8", "f2", "i8", "u1", "bool", "u8", "i4")

Path = tuple[Any, ...]


def changed(
    tensors: Tensors, meta: Meta, chance: random.Random
) -> tuple[Tensors, Meta]:
    """Return a copy in which one value, or some of one tensor, are others."""
    tensors, meta = dict(tensors), deepcopy(meta)
    if chance.random() < 0.6:
        *path, key = chance.choice([one for one in _paths(meta) if one])
        inner = meta
        for name in path:
            inner = inner[name]
        inner[key] = _other(inner[key], chance)
    else:
        name = chance.choice(sorted(tensors))
        tensors[name] = _other_tensor(tensors[name].copy(), chance)
    return tensors, meta


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _paths(inner, (*path, key))


def _other(value: Any, chance: random.Random) -> Any:
    kind = chance.random()
    if isinstance(value, list) and value and kind < 0.5:
        return chance.choice([value[1:], value[:-1], value[::-1], value * 2])
    if isinstance(value, int | float) and kind < 0.3:
        return value + chance.choice([1, -1])
    return chance.choice(VALUES)


def _other_tensor(values: npt.NDArray[Any], chance: random.Random) -> Any:
    kind, flat = chance.random(), values.reshape(-1)
    if kind < 0.2:
        with np.errstate(all="ignore"):
            return values.astype(chance.choice(TYPES))
    if kind < 0.4:
        return chance.choice([flat, values[None], flat[:0], values[..., :-1]])
    places = [chance.randrange(len(flat)) for _ in range(chance.choice([1, len(flat)]))]
    if values.dtype.kind == "f":
        flat[places] = chance.choice(NUMBERS)
    else:
        limits = np.iinfo(values.dtype)
        most, least = int(limits.max), int(limits.min)
        flat[places] = chance.choice([most, least, most // 2, least // 2, 0, 1, 3])
    return values
