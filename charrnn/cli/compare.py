"""`charrnn compare`: which of several models is the best, and whether that is real."""

from typing import TYPE_CHECKING, Annotated

import typer

from charrnn.cli import compare_output, console, inputs, options

if TYPE_CHECKING:
    from charrnn.comparing import Texts


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...",
            help="Run folders, names of runs, or model files.",
            show_default=False,
        ),
    ],
    file: Annotated[
        list[str],
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Compare on this text; - is stdin; may be given several times.",
            show_default=False,
        ),
    ],
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare models on the same text.

    \b
        charrnn compare shakespeare-001 shakespeare-002 -f hamlet.txt
    """
    inputs.check_sources(file)
    loaded = [inputs.load_model(name) for name in models]
    from charrnn import comparing

    texts = _texts(file, "file", ends=all(model.learned_end for model in loaded))
    readings = []
    for model in loaded:
        console.say(f"reading with {model.name}", quiet=quiet)
        readings.append(comparing.read(model, texts))
    compare_output.write_table(comparing.compare(readings, texts))


def _texts(paths: list[str], mode: str, *, ends: bool) -> "Texts":
    from charrnn.comparing import Texts
    from charrnn.sources import documents, whole_documents

    sources = [source for path in paths for source in inputs.sources(path)]
    return Texts(tuple(whole_documents(documents(sources, mode))), ends)
