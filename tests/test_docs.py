"""The README says what is so: its commands, tables, files, version and snippet."""

import itertools
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import charrnn as package
from charrnn.cli.app import app
from charrnn.models import CELLS
from charrnn.tokenizers import TOKENIZERS

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
UNNAMED = {"__init__.py", "__main__.py"}  # the public names, and the program's start
SHELL = {"|", ">", "<", "&&"}  # what ends the words of a command
VENV = "python3 -m venv "  # how .ci/run finds the commands of the README


def section(title: str) -> str:
    """Return the section whose heading begins with a title, without the heading."""
    _, found, rest = README.partition(f"\n## {title}")
    assert found, f"no section {title}"
    return rest.partition("\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str = README) -> list[str]:
    """Return the blocks of code of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def console_commands() -> list[str]:
    """Return each command line that the README shows with its output."""
    lines = "".join(blocks("console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ charrnn")]


def commands(command: Any, path: str = "charrnn") -> Iterator[tuple[str, Any]]:
    """Yield a command and all that are below it, each with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}")


def options_of(command: Any) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("-")
    } | {"-h", "--help"}


COMMANDS = dict(commands(typer.main.get_command(app)))
every_command = pytest.mark.parametrize("path", COMMANDS)


# --- commands


@pytest.mark.parametrize("line", console_commands())
def test_command_of_the_readme_is_one_that_there_is(line: str) -> None:
    words = list(itertools.takewhile(lambda word: word not in SHELL, shlex.split(line)))
    path = words.pop(0)
    while words and f"{path} {words[0]}" in COMMANDS:
        path += f" {words.pop(0)}"
    options = [word.partition("=")[0] for word in words if re.match("--?[a-z]", word)]

    assert path != "charrnn" or not words, f"no command {words[0]}"
    assert set(options) <= options_of(COMMANDS[path])


def test_options_that_the_readme_names_are_options_of_some_command() -> None:
    prose = re.sub(r"^```sh\n.*?^```$", "", README, flags=re.M | re.S)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", prose))

    assert named
    assert named <= set().union(*map(options_of, COMMANDS.values()))


@every_command
def test_help_begins_with_a_short_sentence(path: str) -> None:
    first = (COMMANDS[path].help or "").strip().partition("\n")[0]

    assert first.endswith(".")
    assert len(first) < 60


@every_command
def test_help_has_an_example(path: str) -> None:
    lines = map(str.strip, (COMMANDS[path].help or "").splitlines())

    assert any(line.startswith(path) for line in lines)


def test_install_commands_are_two_and_those_that_ci_runs() -> None:
    lines = "".join(blocks("sh", section("Install"))).splitlines()

    assert len(lines) == 2
    assert lines == [line for line in README.splitlines() if line.startswith(VENV)]


# --- tables, files, version


@pytest.mark.parametrize(
    ("title", "names"),
    [("Choosing a cell", CELLS), ("Choosing tokens", TOKENIZERS)],
    ids=["cells", "levels"],
)
def test_table_lists_exactly_what_can_be_chosen(
    title: str, names: tuple[str, ...]
) -> None:
    listed = re.findall(r"^\| *`([^`]+)` *\|", section(title), re.M)

    assert sorted(listed) == sorted(names)


def test_every_file_of_the_package_is_listed_and_no_other() -> None:
    listed = re.findall(r"^    (\w+(?:\.py|/)) ", package.__doc__ or "", re.M)

    assert package.__file__
    root = Path(package.__file__).parent
    files = {path.name for path in root.glob("*.py")} - UNNAMED
    folders = {f"{path.parent.name}/" for path in root.glob("*/__init__.py")}
    assert sorted(listed) == sorted(files | folders)


def test_newest_change_is_that_of_the_version() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]

    newest = re.search(r"^### (\S+)", section("Changes"), re.M)

    assert newest
    assert newest[1] == project["version"]


def test_readme_is_at_most_300_lines() -> None:
    assert len(README.splitlines()) <= 300


# --- Python


def test_snippet_runs_as_it_is(
    char_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = blocks("python", section("From Python"))
    names: dict[str, Any] = {}

    exec(compile(snippet, "README.md", "exec"), names)

    assert capsys.readouterr().out
    size = (1, len(names["ids"]), names["model"].tokenizer.vocab_size)
    assert names["logits"].shape == size
