"""`charrnn mix`: several models as one."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from charrnn.cli import arguments as options
from charrnn.cli import console, mixtures
from charrnn.cli import loading as inputs
from charrnn.errors import TextError, UsageError

if TYPE_CHECKING:
    from charrnn.data.store import Part
    from charrnn.inference.text_model import TextModel

LEAST_WEIGHT: Final = 1e-3  #: a model with less is left out


class Text(NamedTuple):
    """A text as tokens, and how it is called."""

    part: "Part"
    name: str


def mix(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Run folders, names of runs, or model files."
        ),
    ],
    out: Annotated[
        str,
        typer.Option("-o", "--out", metavar="FILE", help="Where the model goes."),
    ],
    file: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--file",
            metavar="FILE",
            help="Text that is new to all models; by default what validated the first "
            "one. One half finds the weights, the other is scored.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            "--weights",
            metavar="LIST",
            help="Weights with the sum 1, as 0.7,0.3 for two models; by default they "
            "are found.",
            show_default=False,
        ),
    ] = "",
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make one model of several.

    \b
        charrnn mix runs/plays-001 runs/plays-002 -o mixture.safetensors
        charrnn mix a.safetensors b.safetensors --weights 0.7,0.3 -o c.safetensors

    The probabilities that it gives are the weighted means of theirs, so they must
    share a tokenizer. The result is a model file as any other.
    """
    shares = mixtures.parse_weights(weights) if weights else []
    if len(models) < 2:
        raise UsageError("one model is no mixture", hint="charrnn mix A B -o FILE")
    if len(shares) not in (0, len(models)):
        raise UsageError(f"--weights has {len(shares)} for {len(models)} models")
    members = [inputs.load_model(model) for model in models]
    mixtures.check_tokenizers(members)
    _check_out(out, members)
    inputs.check_out(out, file or [])

    from charrnn.inference import checkpoint

    text = _of_files(file, members[0]) if file else _validation(members, quiet=quiet)
    if not shares:
        shares, text = _found(members, text, quiet=quiet)
    mixed = _mixture(members, shares, quiet=quiet)
    pairs = zip(models, shares, strict=True)
    weighed = [{"model": name, "weight": share} for name, share in pairs]
    record: dict[str, Any] = {"model": out, "members": weighed}
    if text:
        record |= _scores(members, shares, mixed, text, quiet=quiet or as_json)
    checkpoint.save(Path(out), mixed)
    if as_json:
        console.write_json(record)
        return
    console.log(f"saved {out}, {console.size(os.path.getsize(out))}", quiet=quiet)
    console.write_line(out)
    console.suggest(f"charrnn sample -m {out} --temp 0.8", quiet=quiet)


def _check_out(out: str, members: Sequence["TextModel"]) -> None:
    """Raise UsageError for what is no place for a model, before anything is slow.

    Nor is the place of a model that it is made of.
    """
    from charrnn.storage.runs import find_model

    folder = os.path.dirname(out) or "."
    if out == "-" or os.path.isdir(out) or not os.path.isdir(folder):
        raise UsageError(
            f"--out {out} is not a file in a folder that is there",
            hint="for example: -o mixture.safetensors",
        )
    for one in members:
        if os.path.exists(out) and os.path.samefile(out, find_model(one.name)):
            raise UsageError(
                f"--out {out} is one of the models", hint="name another file"
            )


def _of_files(files: list[str], first: "TextModel") -> Text:
    """Return texts, cut into documents as those that the first model learned from."""
    from charrnn.data import parts as held_out
    from charrnn.text.documents import documents, whole_documents

    mode = first.summary.get("corpus", {}).get("documents_in", "file")
    sources = inputs.sources(files)
    blocks = documents(sources, mode, raw=first.tokenizer.level == "byte")
    texts = list(whole_documents(blocks))
    if not texts:
        raise TextError(f"{', '.join(files)} holds no text")
    part = held_out.part_of(texts, first.tokenizer, learns_end=first.learned_end)
    return Text(part, ", ".join(files))


def _validation(members: Sequence["TextModel"], *, quiet: bool) -> Text | None:
    """Return the text that validated the first model, if it is the model of a run.

    Warns of models that may have learned from it.
    """
    from charrnn.data.store import TokenStore
    from charrnn.storage.runs import Run

    first, *others = members
    run = Run(Path(first.name))
    if not run.tokens.is_dir():
        return None
    store = TokenStore.open(run.tokens)
    for other in others:
        if inputs.split_of(other) != inputs.split_of(first):
            console.warn(
                f"{other.name} may have learned from what validated {first.name}: its "
                "weight is too high then",
                quiet=quiet,
            )
    return Text(store.valid, f"what validated {first.name}")


def _found(
    members: Sequence["TextModel"], text: Text | None, *, quiet: bool
) -> tuple[list[float], Text]:
    """Return weights found on one half of a text, and its other half."""
    from charrnn.data import parts as held_out
    from charrnn.inference import mixing

    if not text:
        raise UsageError(
            f"{members[0].name} is no run with a text that validated it",
            hint="name a text that is new to all models: -f FILE",
        )
    rest, half = held_out.split(text.part, 0.5)
    if not (rest.targets and half.targets):
        raise UsageError(f"{text.name} is too short to find weights on half of it")
    console.log(
        f"weights from half of {text.name}, {half.targets:,} tokens", quiet=quiet
    )
    found = mixing.fit_weights([one.model for one in members], half)
    return list(found.weights), Text(rest, f"the other half of {text.name}")


def _mixture(
    members: Sequence["TextModel"], shares: Sequence[float], *, quiet: bool
) -> "TextModel":
    """Return the mixture of the members that matter; name the others."""
    pairs = list(zip(members, shares, strict=True))
    for one, share in pairs:
        if share < LEAST_WEIGHT:
            console.log(f"left out {one.name}: its weight is {share:.1g}", quiet=quiet)
    pairs = [(one, share) for one, share in pairs if share >= LEAST_WEIGHT]
    total = sum(share for _, share in pairs)
    used, weights = zip(*pairs, strict=True)
    return mixtures.mixture(used, [weight / total for weight in weights])


def _scores(
    members: Sequence["TextModel"],
    shares: Sequence[float],
    mixed: "TextModel",
    text: Text,
    *,
    quiet: bool,
) -> dict[str, Any]:
    """Say what a text costs each model and the mixture; return the mixture's cost."""
    from charrnn.data.parts import measured
    from charrnn.inference.scoring import part_score

    part = measured(text.part, mixed.tokenizer)
    console.log(f"scores of {text.name}, {part.targets:,} tokens", quiet=quiet)
    rows = [("weight", "bits/char", "nats/token", "model")]
    labels = [*(f"{share:.3f}" for share in shares), ""]
    names = [*(one.name for one in members), "the mixture"]
    for label, name, one in zip(labels, names, (*members, mixed), strict=True):
        score = part_score(one.model, part)
        bits, nats = score.bits_per_char, score.nats_per_token
        rows.append((label, console.number(bits), console.number(nats, 4), name))
    for line in console.table_lines(rows, ">>><"):
        console.log(line, quiet=quiet)
    return {"tokens": part.targets, "bits_per_char": bits, "nats_per_token": nats}
