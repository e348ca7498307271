"""Convert the events of a training run to lines of text."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from charrnn.cli.console import plural, quoted, width
from charrnn.training import events

INDENT: Final = " " * 9

#: returns a phrase for the metrics of a validation
Describe = Callable[[Mapping[str, Any]], str]


def lines_of(event: events.Event, columns: int, describe: Describe) -> Iterator[str]:
    """Yield the lines for an event; examples and samples are cut to fit the columns.

    describe: returns a phrase for the metrics of a validation.
    """
    when = f"{clock(event.elapsed_s):>7}"
    if isinstance(event, events.StartEvent):
        for line in event.preview:
            yield shortened(line.replace("\t", " | "), columns)
        yield from _start_lines(event)
    elif isinstance(event, events.ValidationEvent):
        best = "" if event.best else "  (not the best)"
        yield f"{when}  valid {describe(event.metrics)}{best}"
    elif isinstance(event, events.SampleEvent):
        yield INDENT + excerpt(event.text, columns - len(INDENT))
    elif isinstance(event, events.WarningEvent):
        yield f"warning: {event.message}"
    elif isinstance(event, events.DoneEvent):
        step = f" at step {event.best['step']:,}" if event.steps else ""
        saved = f"saved {event.run}/model.safetensors"
        yield f"{when}  done: best {describe(event.best)}{step}; {saved}"
        yield from _ngram_lines(event, describe)


def _ngram_lines(done: events.DoneEvent, describe: Describe) -> Iterator[str]:
    """Yield a line about an n-gram model of the same text, or a mixture's members."""
    ngram = done.details.get("ngram")
    if "members" in done.best:
        for member in done.best["members"]:
            weight = f"weight {member['weight']:.2f}"
            yield f"{INDENT}{member['name']} alone ({weight}): {describe(member)}"
    elif ngram:
        nats, own = ngram["nats_per_token"], done.best["nats_per_token"]
        is_better = None not in (nats, own) and (
            nats < own or ngram.get("right", 0) > done.best.get("right", 1)
        )
        advice = "; this is better: try --with-ngram" if is_better else ""
        name = ngram.get("name", f"{ngram.get('order')}-grams")
        yield f"{INDENT}for comparison, {name}: {describe(ngram)}{advice}"
    elif "ngram" in done.details:
        yield f"{INDENT}no n-gram model for comparison: the text is too long"


def _start_lines(start: events.StartEvent) -> Iterator[str]:
    corpus, training = start.corpus, start.training
    yield (
        f"corpus   {', '.join(corpus['files'])}: {corpus['characters']:,} characters,"
        f" {plural(corpus['documents'], start.unit)};"
        f" {start.train_tokens:,} tokens for training,"
        f" {start.valid_tokens:,} for validation"
    )
    parameters = start.details.get("parameters")
    size = f", {parameters:,} parameters" if parameters is not None else ""
    yield (
        f"model    {start.title}{size};"
        f" {start.level} tokens, {start.vocabulary:,} in the vocabulary"
    )
    if training:
        yield (
            f"plan     {_budget(training)} on {training['device']},"
            f" {training['precision']}, {plural(training['threads'], 'thread')};"
            f" batch {training['batch']} x {training['bptt']}, rate {training['lr']:g},"
            f" seed {training['seed']}"
        )
    if start.reasons:
        yield f"because  {'; '.join(start.reasons)}"
    verb = "resumes in" if start.continues else "in"
    yield (
        f"run      {verb} {start.run}"
        if start.run
        else "run      not created (--dry-run)"
    )
    if leaked := corpus["leaked"]:
        verb = "appears" if leaked == 1 else "appear"
        yield (
            f"warning: {plural(leaked, 'validation document')} also {verb} in the"
            " training part"
        )


def _budget(training: dict[str, Any]) -> str:
    if training["time_s"]:
        most = "at most " if training["max_epochs"] else ""
        return most + clock(training["time_s"])
    if training["steps"]:
        return f"{training['steps']:,} steps"
    return f"{training['epochs']:g} epochs"


def excerpt(text: str, columns: int) -> str:
    """Return the beginning of a text, quoted on one line of at most `columns`."""
    shown = quoted(text)
    if width(shown) <= columns:
        return shown
    while text and width(shown) > columns - 3:
        text = text[: -max(1, (width(shown) - columns + 3) // 2)]
        shown = quoted(text)
    return f"{shown}..."


def shortened(text: str, columns: int) -> str:
    """Return the beginning of a line of at most `columns`."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 3:
        text = text[: -max(1, (width(text) - columns + 3) // 2)]
    return f"{text}..."


def clock(seconds: float) -> str:
    """Format a time, such as 4:05 or 1:04:05; an unknown time becomes -:--."""
    if not math.isfinite(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
