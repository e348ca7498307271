"""Draw train.svg and score.svg: what charrnn shows in a terminal.

    python .readme/draw.py

Trains on corpora/ferry.txt in a temporary folder, which takes a minute, and pictures
the training view when the run is half done. Then scores two texts with the model.
"""

import io
import os
import pty
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).resolve().parent
COLUMNS = 104
TRAIN = "charrnn train corpora/ferry.txt"
HALF = re.compile(r" 4\d%[^\r\n]*\Z")  # the last line is the progress bar
LIKELY = "The boat came over on the rope."
UNLIKELY = "The cloud service is down again."
SCORE = f'charrnn score --heat "{LIKELY}" "{UNLIKELY}"'
FONTS = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace"


def main() -> None:
    """Draw both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.symlink(HERE.parent / "corpora", "corpora")
        shown = ""
        for screen in screens(TRAIN):
            if HALF.search(screen):
                shown = screen
        draw("train", TRAIN, shown)
        *_, shown = screens(SCORE)
        draw("score", SCORE, shown)


def screens(command: str) -> Iterator[str]:
    """Run a command in a terminal of its own; yield all it has written, as it grows."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        program = [sys.executable, "-m", *shlex.split(command)]
        os.execv(program[0], program)
    written = b""
    while data := _read(terminal):
        written += data
        yield written.decode("utf-8", "ignore").replace("\r\n", "\n")
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{command} failed:\n{written.decode()}")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux reports the end of a terminal
        return b""


def draw(name: str, command: str, screen: str) -> None:
    """Write a picture of a command and its output, colours included."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(f"[bold]$ {command}[/]", highlight=False)
    console.print(Text.from_ansi(screen.rstrip("\n")))
    svg = console.export_svg(title="charrnn", theme=MONOKAI, unique_id=name)
    # a picture on a web page cannot load fonts, so it names some that may be installed
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: Fira Code, monospace", f"font-family: {FONTS}", svg)
    (HERE / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
