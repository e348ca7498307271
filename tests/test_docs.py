"""README.md agrees with the program: commands, tables, files, version and snippet.

CHARRNN_UPDATE_DOCS=1 rewrites the parts of README.md that are generated.
"""

import itertools
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import charrnn as package
from charrnn.cli.app import COMMANDS as REGISTERED
from charrnn.cli.app import app
from charrnn.cli.train.command import SIZES
from charrnn.data.config import CorpusConfig
from charrnn.fields import GROUPS, Option, options_of
from charrnn.models import CELLS
from charrnn.tokenizers import TOKENIZERS
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.training.config import TrainConfig
from charrnn.training.request import Request

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text(encoding="utf-8")
UNNAMED = {"__init__.py", "__main__.py"}  # not part of the map
SHELL = {"|", ">", "<", "&&"}  # these end the words of a command
VENV = "python3 -m venv "  # .ci/run finds the commands of the README by this


def section(title: str) -> str:
    """Return the section whose heading begins with a title, without the heading."""
    _, found, rest = README.partition(f"\n## {title}")
    assert found, f"no section {title}"
    return rest.partition("\n")[2].partition("\n## ")[0]


def blocks(language: str, text: str = README) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def console_commands() -> list[str]:
    """Return the command lines that the README shows with their output."""
    lines = "".join(blocks("console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ charrnn")]


def commands(command: Any, path: str = "charrnn") -> Iterator[tuple[str, Any]]:
    """Yield a command and its subcommands, each with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}")


def flags_of(command: Any) -> set[str]:
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
def test_command_of_the_readme_exists(line: str) -> None:
    words = list(itertools.takewhile(lambda word: word not in SHELL, shlex.split(line)))
    path = words.pop(0)
    while words and f"{path} {words[0]}" in COMMANDS:
        path += f" {words.pop(0)}"
    options = [word.partition("=")[0] for word in words if re.match("--?[a-z]", word)]

    assert path != "charrnn" or not words, f"no command {words[0]}"
    assert set(options) <= flags_of(COMMANDS[path])


def test_options_that_the_readme_names_are_options_of_some_command() -> None:
    present = README.replace(section("Changes"), "")  # which names old options, too
    prose = re.sub(r"^```sh\n.*?^```$", "", present, flags=re.M | re.S)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", prose))

    assert named
    assert named <= set().union(*map(flags_of, COMMANDS.values()))


@every_command
def test_help_begins_with_a_short_sentence(path: str) -> None:
    first = (COMMANDS[path].help or "").strip().partition("\n")[0]

    assert first.endswith(".")
    assert len(first) < 60


def test_list_of_commands_has_the_first_lines_of_their_help() -> None:
    for name, (_, _, line) in REGISTERED.items():
        help_text = COMMANDS[f"charrnn {name}"].help or ""
        assert help_text.strip().splitlines()[0] == line


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
    ids=["cells", "tokenizers"],
)
def test_table_lists_exactly_the_registry(title: str, names: tuple[str, ...]) -> None:
    listed = re.findall(r"^\| *`([^`]+)` *\|", section(title), re.M)

    assert sorted(listed) == sorted(names)


def test_every_file_of_the_package_is_listed_and_no_other() -> None:
    listed = re.findall(r"^    (\w+(?:\.py|/)) ", package.__doc__ or "", re.M)

    assert package.__file__
    root = Path(package.__file__).parent
    files = {path.name for path in root.glob("*.py")} - UNNAMED
    folders = {f"{path.parent.name}/" for path in root.glob("*/__init__.py")}
    assert sorted(listed) == sorted(files | folders)


def test_newest_change_is_of_the_current_version() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]

    newest = re.search(r"^### (\S+)", section("Changes"), re.M)

    assert newest
    assert newest[1] == project["version"]


def test_readme_is_at_most_250_lines() -> None:
    assert len(README.splitlines()) <= 250


def test_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)

    assert [link for link in links if not (TOP / link).is_file()] == []


# --- generated parts


def file_tree() -> str:
    """Return the map of the package as a code block."""
    lines = re.findall(r"^    (\w+(?:\.py|/) .*)$", package.__doc__ or "", re.M)
    return "\n".join(["```text", *lines, "```"])


def option_table() -> str:
    """Return a table of the options of train, a row for each group."""
    found = list(
        options_of(CorpusConfig, TokenizerConfig, Request, *SIZES, TrainConfig)
    )
    rows = ["| group | options |", "|---|---|"]
    for group in GROUPS:
        cells = [_with_default(one) for one in found if one.group == group]
        rows.append(f"| {group} | {', '.join(cells)} |")
    return "\n".join(rows)


def _with_default(option: Option) -> str:
    default = re.search(r" \[[^\[\]]+\]$", option.described)
    shown = default[0].replace("<", "\\<") if default else ""  # < begins HTML
    return f"`{option.flag}`{shown}"


@pytest.mark.parametrize(
    ("name", "generate"), [("files", file_tree), ("options", option_table)]
)
def test_generated_part_is_current(name: str, generate: Callable[[], str]) -> None:
    path = TOP / "README.md"
    text = path.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->\n", f"\n<!-- end {name} -->"
    head, begins, rest = text.partition(begin)
    _, ends, tail = rest.partition(end)
    assert begins
    assert ends
    current = head + begin + generate() + end + tail

    if os.environ.get("CHARRNN_UPDATE_DOCS"):
        path.write_text(current, encoding="utf-8")
        text = current

    assert text == current


# --- Python


def test_snippet_runs_as_it_is(
    char_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (snippet,) = blocks("python", section("Use from Python"))
    names: dict[str, Any] = {}

    exec(compile(snippet, "README.md", "exec"), names)

    assert capsys.readouterr().out
    size = (1, len(names["ids"]), names["model"].tokenizer.vocab_size)
    assert names["logits"].shape == size
