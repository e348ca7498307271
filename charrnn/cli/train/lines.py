"""What `charrnn train` says of an event, as lines of text."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from charrnn.cli import console

if TYPE_CHECKING:
    from charrnn.training.events import Event

INDENT: Final = " " * 9


def lines_of(event: "Event", columns: int) -> Iterator[str]:
    """Yield the lines that an event is worth; only a sample is cut to the columns."""
    values = event.values
    when = f"{clock(event.elapsed_s):>7}"
    if event.kind == "start":
        yield from _start_lines(values)
    elif event.kind == "validation":
        best = "" if values["best"] else "  (not the best)"
        yield (
            f"{when}  valid {figure(values['bits_per_char'])} bits/char,"
            f" {figure(values['nats_per_token'], 4)} nats/token"
            f"{_unknown(values)}{best}"
        )
    elif event.kind == "sample":
        yield INDENT + excerpt(values["text"], columns - len(INDENT))
    elif event.kind == "warning":
        yield f"warning: {values['message']}"
    elif event.kind == "done":
        best = values["best"]
        step = f" at step {best['step']:,}" if values["steps"] else ""
        yield (
            f"{when}  done: best {figure(best['bits_per_char'])} bits/char"
            f" ({figure(best['nats_per_token'], 4)} nats/token){step};"
            f" saved {values['run']}/model.safetensors"
        )
        yield from _beside(values)


def _beside(done: dict[str, Any]) -> Iterator[str]:
    """Say what counting does on the same text, alone and in a mixture."""
    best, ngram = done["best"], done.get("ngram")
    if "members" in best:
        said = (
            f"{member['name']} {figure(member['bits_per_char'])} bits/char"
            f" (weight {member['weight']:.2f})"
            for member in best["members"]
        )
        yield f"{INDENT}alone: {', '.join(said)}"
    elif ngram:
        is_better = ngram["nats_per_token"] < best["nats_per_token"]
        yield (
            f"{INDENT}{ngram['order']}-grams, counted in seconds:"
            f" {figure(ngram['bits_per_char'])} bits/char"
            f" ({figure(ngram['nats_per_token'], 4)} nats/token)"
            f"{'; that is better: try --with-ngram' if is_better else ''}"
        )
    elif "ngram" in done:
        yield f"{INDENT}the text is too long to count n-grams of it in passing"


def _unknown(values: dict[str, Any]) -> str:
    """Say the share of unknown tokens, which cost little: nobody spells them."""
    share = values["unknown"] / max(1, values["tokens"])
    return f", {share:.1%} unknown" if share >= 0.001 else ""


def _start_lines(values: dict[str, Any]) -> Iterator[str]:
    corpus, training = values["corpus"], values["training"]
    documents = corpus["documents"]
    yield (
        f"corpus   {', '.join(corpus['files'])}: {corpus['characters']:,} characters,"
        f" {plural(documents, 'document')};"
        f" {values['train_tokens']:,} tokens train,"
        f" {values['valid_tokens']:,} validate"
    )
    size = f", {values['parameters']:,} parameters" if "parameters" in values else ""
    yield (
        f"model    {values['title']}{size};"
        f" {values['vocabulary']:,} {values['level']} tokens"
    )
    if training:
        yield (
            f"plan     {_budget(training)} on {training['device']},"
            f" {training['precision']}, {plural(training['threads'], 'thread')};"
            f" batch {training['batch']} x {training['bptt']}, rate {training['lr']:g},"
            f" seed {training['seed']}"
        )
    if values["reasons"]:
        yield f"because  {'; '.join(values['reasons'])}"
    verb = "goes on in" if values["continues"] else "in"
    yield f"run      {verb} {values['run']}" if values["run"] else "run      none made"
    if corpus["leaked"]:
        yield (
            f"warning: {corpus['leaked']:,} validation documents stand in the training"
            " part too"
        )


def _budget(training: dict[str, Any]) -> str:
    if training["time_s"]:
        most = "at most " if training["max_epochs"] else ""
        return most + clock(training["time_s"])
    if training["steps"]:
        return f"{training['steps']:,} steps"
    return f"{training['epochs']:g} epochs"


def excerpt(text: str, columns: int) -> str:
    """Return the beginning of a text on one line, quoted, in at most `columns`."""
    shown = console.quoted(text)
    if console.width(shown) <= columns:
        return shown
    while text and console.width(shown) > columns - 3:
        text = text[: -max(1, (console.width(shown) - columns + 3) // 2)]
        shown = console.quoted(text)
    return f"{shown}..."


def figure(value: float | None, decimals: int = 3) -> str:
    """Return a figure of an event, where None stands for what no number is."""
    return "inf" if value is None else f"{value:.{decimals}f}"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: 1 thread, 2,409 documents."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def clock(seconds: float) -> str:
    """Return a time as 4:05 or 1:04:05, -:-- if it isn't known."""
    if not math.isfinite(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
