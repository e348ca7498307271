"""`charrnn mix`: combine models into one. `score --mix` uses this module too."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from charrnn.cli import arguments, console, loading
from charrnn.cli.arguments import option
from charrnn.errors import UsageError
from charrnn.fields import check

if TYPE_CHECKING:
    from charrnn.data.store import Part
    from charrnn.inference.text_model import TextModel

LEAST_WEIGHT: Final = 1e-3  #: a model with a smaller weight is left out


@dataclass(frozen=True)
class MixOptions:
    """The file to write, the weights, and the text to fit and score them on."""

    out: str = option(
        "",
        flags=("--out", "-o"),
        metavar="FILE",
        shown="required",
        help="Model file to write.",
    )
    file: tuple[str, ...] = option(
        (),
        flags=("--file", "-f"),
        metavar="FILE",
        shown="validation text of the first model",
        help="Text that no model was trained on; - is stdin; repeatable. One half is "
        "used to fit weights, the other to score.",
    )
    weights: str = option(
        "",
        metavar="LIST",
        shown="fitted",
        help="Weights that add up to 1, such as 0.7,0.3 for two models.",
    )

    def __post_init__(self) -> None:
        check(self)
        if not self.out:
            hint = "for example: -o mixture.safetensors"
            raise UsageError("missing option --out", hint=hint)


@arguments.with_options(MixOptions)
def mix(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Run folders, run names or model files."
        ),
    ],
    as_json: arguments.Json = False,
    quiet: arguments.Quiet = False,
    **given: Any,
) -> None:
    """Combine models into one.

    \b
        charrnn mix runs/plays-001 runs/plays-002 -o mixture.safetensors
        charrnn mix a.safetensors b.safetensors --weights 0.7,0.3 -o c.safetensors

    The new model predicts the weighted mean of the models' probabilities, so they
    must have the same tokenizer. Use it like any other model file.
    """
    options = MixOptions(**given)
    out, files = options.out, list(options.file)
    shares = parse_weights(options.weights) if options.weights else []
    if len(models) < 2:
        hint = "charrnn mix A B -o FILE"
        raise UsageError("mix needs at least two models", hint=hint)
    if len(shares) not in (0, len(models)):
        values = console.plural(len(shares), "value")
        raise UsageError(f"--weights has {values} for {len(models)} models")
    members = [loading.load_model(model) for model in models]
    check_tokenizers(members)
    folder = os.path.dirname(out) or "."
    if out == "-" or os.path.isdir(out) or not os.path.isdir(folder):
        hint = "for example: -o mixture.safetensors"
        raise UsageError(f"--out {out} is not a file in an existing folder", hint=hint)
    loading.check_out(out, [*files, *(str(one.source) for one in members)])

    from charrnn.inference import checkpoint

    part, name = _held_out(files, members, quiet=quiet)
    if not shares:
        shares, part = _fit(members, part, name, quiet=quiet)
        name = f"the other half of {name}"
    mixed = _mixture(members, shares, quiet=quiet)
    pairs = zip(models, shares, strict=True)
    weighted = [{"model": model, "weight": share} for model, share in pairs]
    record: dict[str, Any] = {"model": out, "members": weighted}
    if part:
        is_quiet = quiet or as_json
        record |= _scores(members, shares, mixed, part, name, quiet=is_quiet)
    checkpoint.save(Path(out), mixed)
    if as_json:
        console.write_json(record)
        return
    console.log(f"saved {out}, {console.size(os.path.getsize(out))}", quiet=quiet)
    console.write_line(out)
    console.suggest(f"charrnn sample -m {out} --temp 0.8", quiet=quiet)


def _held_out(
    files: list[str], members: Sequence["TextModel"], *, quiet: bool
) -> tuple["Part | None", str]:
    """Return the tokens, and the name, of the text used to fit weights and to score.

    By default, this is the validation text of the first model; None if there is none.
    """
    from charrnn.data.parts import part_of
    from charrnn.inference.baselines import store_of

    first = members[0]
    if files:
        text = loading.read_held_out(files, first)
        name, split = text.name, text.split
        part = part_of(text.documents, first.tokenizer, learns_end=first.learned_end)
    else:
        store = store_of(first)
        if not store:
            return None, ""
        name, split = f"the validation text of {first.name}", loading.split_of(first)
        part = store.valid
    loading.warn_of_training(members, split, quiet=quiet)
    return part, name


def _fit(
    members: Sequence["TextModel"], part: "Part | None", name: str, *, quiet: bool
) -> tuple[list[float], "Part"]:
    """Fit weights on half of a part; return them and the other half."""
    from charrnn.data import parts
    from charrnn.inference import mixing

    if not part:
        raise UsageError(
            f"{members[0].name} has no validation text to fit weights on",
            hint="name a text that no model was trained on: -f FILE",
        )
    rest, half = parts.split(part, 0.5)
    if not (rest.targets and half.targets):
        raise UsageError(f"{name} is too short to fit weights on half of it")
    size = console.plural(half.targets, "token")
    console.log(f"fitting weights on half of {name}: {size}", quiet=quiet)
    found = mixing.fit_weights([one.model for one in members], half)
    return list(found.weights), rest


def _mixture(
    members: Sequence["TextModel"], shares: Sequence[float], *, quiet: bool
) -> "TextModel":
    """Return a mixture of the members, except for any with a negligible weight."""
    kept = []
    for one, share in zip(members, shares, strict=True):
        if share < LEAST_WEIGHT:
            console.log(f"left out {one.name}: its weight is {share:.1g}", quiet=quiet)
        else:
            kept.append((one, share))
    total = sum(share for _, share in kept)
    return mixture([one for one, _ in kept], [share / total for _, share in kept])


def _scores(
    members: Sequence["TextModel"],
    shares: Sequence[float],
    mixed: "TextModel",
    part: "Part",
    name: str,
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Log the scores of each model and of the mixture; return the mixture's."""
    from charrnn.data.parts import measured
    from charrnn.inference.scoring import part_score

    part = measured(part, mixed.tokenizer)
    console.log(f"scores on {name}: {part.targets:,} tokens", quiet=quiet)
    rows = [("weight", "bits/char", "nats/token", "model")]
    labels = [*(f"{share:.3f}" for share in shares), ""]
    names = [*(one.name for one in members), "the mixture"]
    for label, model, one in zip(labels, names, (*members, mixed), strict=True):
        score = part_score(one.model, part)
        bits, nats = score.bits_per_char, score.nats_per_token
        rows.append((label, console.number(bits), console.number(nats, 4), model))
    console.log(console.table(rows, ">>><"), quiet=quiet)
    return {"tokens": part.targets, "bits_per_char": bits, "nats_per_token": nats}


def mixture(models: Sequence["TextModel"], weights: Sequence[float]) -> "TextModel":
    """Return a mixture of models; its recorded corpus is that of the first model.

    Raises UsageError if the tokenizers differ or the weights are invalid.
    """
    check_tokenizers(models)

    from charrnn.inference.text_model import TextModel
    from charrnn.models import mixture as mixtures
    from charrnn.storage.records import ModelSummary

    first = models[0]
    try:
        mixed = mixtures.mixture([one.model for one in models], weights)
    except ValueError as error:
        raise UsageError(f"cannot mix these models: {error}") from error
    pairs = list(zip(models, weights, strict=True))
    summary = ModelSummary(
        learned_end=first.learned_end,
        corpus=first.summary.corpus,
        members=[{"model": one.name, "weight": weight} for one, weight in pairs],
    )
    name = " + ".join(f"{weight:.3g} {one.name}" for one, weight in pairs)
    return TextModel(mixed, first.tokenizer, summary=summary, name=name)


def check_tokenizers(models: Sequence["TextModel"]) -> None:
    """Raise UsageError unless all are language models with the same tokenizer."""
    first, *others = models
    for model in models:
        if model.source_tokenizer:
            raise UsageError(
                f"{model.name} cannot be mixed: its task is {model.summary.task}",
                hint="only language models can be mixed",
            )
    for other in others:
        one, two = first.tokenizer, other.tokenizer
        if one.to_json() != two.to_json():
            raise UsageError(
                f"{first.name} and {other.name} have different tokenizers: "
                f"{one.vocab_size:,} {one.level} tokens and "
                f"{two.vocab_size:,} {two.level} tokens",
                hint="train both with one tokenizer: charrnn tokenize CORPUS -o "
                "tokenizer.json, then charrnn train --tokenizer tokenizer.json",
            )


def parse_weights(text: str) -> list[float]:
    """Return non-negative numbers that add up to 1. Raises UsageError."""
    with suppress(ValueError):
        weights = [float(weight) for weight in text.split(",")]
        if min(weights) >= 0 and abs(sum(weights) - 1) < 1e-6:
            return weights
    hint = "give numbers that add up to 1, such as 0.7,0.3"
    raise UsageError(f"--weights is {text!r}", hint=hint)


def parse_member(text: str) -> tuple[str, float]:
    """Split MODEL=WEIGHT into the model and its weight. Raises UsageError."""
    path, _, weight = text.rpartition("=")
    with suppress(ValueError):
        if path and 0 < float(weight) < 1:
            return path, float(weight)
    hint = "give a model and a weight in (0, 1), such as MODEL=0.3"
    raise UsageError(f"--mix is {text!r}", hint=hint)
