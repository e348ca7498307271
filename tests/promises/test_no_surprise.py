"""No network, and nothing written but what was asked for, whatever the command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.audit import NETWORK, changed_paths, noted, of_kind
from support.levels import cases

TRAIN = ["train", "text.txt", "--hidden", "8", "--steps", "3", "-q"]
MIX = ["--weights", "0.5,0.5", "-f", "text.txt", "-o", "m.safetensors"]

#: what is asked, and which files or folders of the working folder that names
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "train": ([*TRAIN, "-o", "new"], ["new"]),
    "train in runs": (TRAIN, ["runs"]),
    "train n-grams": (["train", "text.txt", "--family", "ngram", "-o", "new"], ["new"]),
    "sample": (["sample", "--length", "9"], []),
    "score": (["score", "the fox"], []),
    "score a file": (["score", "-f", "text.txt", "--per", "word"], []),
    "tokenize": (["tokenize", "text.txt"], []),
    "tokenize -o": (["tokenize", "text.txt", "-o", "t.json"], ["t.json"]),
    "runs": (["runs"], []),
    "runs show": (["runs", "show"], []),
    "runs verify": (["runs", "verify"], []),
    "mix": (["mix", *["runs/names-001"] * 2, *MIX], ["m.safetensors"]),
    "compare": (["compare", "-f", "text.txt"], []),
    "help": (["--help"], []),
    "a mistake": (["sample", "--temp", "hot"], []),
}


def stray(paths: set[str], named: list[str], folder: Path) -> set[str]:
    """Return the paths that nobody named; Python keeps what it compiled."""
    allowed = [str(folder / name) for name in named] + ["/dev/null"]
    return {
        path
        for path in paths
        if "__pycache__" not in path and not path.startswith(tuple(allowed))
    }


@pytest.fixture
def _text(char_run: Path) -> None:
    Path("text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 20)


@pytest.mark.promise("R22")
@pytest.mark.usefixtures("_text")
@pytest.mark.parametrize("name", COMMANDS)
def test_command_opens_no_socket_and_writes_only_what_was_named(
    name: str, charrnn: Any
) -> None:
    command, named = COMMANDS[name]

    with noted() as events:
        result = charrnn(*command)

    assert result.exit_code == (2 if name == "a mistake" else 0)
    assert not of_kind(events, NETWORK)
    assert not stray(changed_paths(events), named, Path.cwd())


CHILD = """
import json, sys
sys.path.insert(0, sys.argv.pop(1))
from support.audit import NETWORK, changed_paths, noted, of_kind
with noted() as events:
    from charrnn.cli.main import main
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code
found = [str(event) for event in of_kind(events, NETWORK)]
print(json.dumps([code, found, sorted(changed_paths(events))]), file=sys.stderr)
"""


@pytest.mark.promise("R22")
@pytest.mark.usefixtures("_text")
@pytest.mark.parametrize("name", [*COMMANDS][: cases(1, len(COMMANDS))])
def test_process_opens_no_socket_even_while_it_imports(name: str) -> None:
    command, named = COMMANDS[name]
    tests = str(Path(__file__).parents[1])

    ended = subprocess.run(
        [sys.executable, "-c", CHILD, tests, *command], capture_output=True, timeout=120
    )

    code, sockets, paths = json.loads(ended.stderr.splitlines()[-1])
    assert code == (2 if name == "a mistake" else 0)
    assert not sockets
    assert not stray(set(paths), named, Path.cwd())
