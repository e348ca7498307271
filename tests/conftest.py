"""Fixtures: small models of random weights, made without torch, and a bare setting."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.levels import LEVEL
from support.models import random_text_model
from typer.testing import CliRunner, Result

from charrnn.cli.app import app
from charrnn.inference import checkpoint
from charrnn.inference.text_model import TextModel
from charrnn.storage.records import ModelSummary

TEXT = "the quick brown fox jumps over the lazy dog\nand sleeps, dear reader.\n"

Charrnn = Callable[..., Result]

# every run of the suite tries others; no deadline, as other work may be under way
settings.register_profile(
    "suite", max_examples=int(os.environ.get("CHARRNN_EXAMPLES", "40")), deadline=None
)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """At level 2 let the tests of promises, which then try much, be slow ones."""
    for item in items:
        if LEVEL > 1 and item.get_closest_marker("promise"):
            item.add_marker(pytest.mark.slow)


def pytest_configure() -> None:
    """Hear what nohup and & ignore: what the tests start would not hear it, either."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Leave torch one thread, if a test has imported it."""
    if "torch" in sys.modules:
        # with more, tiny products wait for busy cores
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def empty_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder that is empty, the same again until something is in it."""

    def folders() -> Iterator[Path]:
        while True:
            folder = tmp_path_factory.mktemp("empty")
            while not os.listdir(folder):
                yield folder

    return folders()


@pytest.fixture(autouse=True)
def bare_setting(
    request: pytest.FixtureRequest,
    empty_folders: Iterator[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Work in an empty folder, without settings or chance from outside.

    The folder is tmp_path where a test asks for that. Most tests write
    nothing, and to make a folder (2 ms) takes longer than most of them.
    """
    # getfixturevalue only here, as asking for tmp_path is what makes it
    asks = "tmp_path" in request.fixturenames
    folder = request.getfixturevalue("tmp_path") if asks else next(empty_folders)
    monkeypatch.chdir(folder)
    for name in ("CHARRNN_MODEL", "CHARRNN_RUNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    # no test cuts the power: a third of the time of those that train
    monkeypatch.setattr(os, "fsync", lambda _: None)
    if "torch" in sys.modules:
        # torch.manual_seed would note a traceback for every kind of device
        sys.modules["torch"].default_generator.manual_seed(0)
    return folder


def random_model(
    level: str = "char",
    *,
    text: str = TEXT,
    seed: int = 1,
    learned_end: bool = True,
    **sizes: Any,
) -> TextModel:
    """Return a model with random weights and a tokenizer learned from `text`."""
    sizes = {"hidden": 16, "embed": 8} | sizes
    model = random_text_model([text], level=level, seed=seed, **sizes)
    model.summary = ModelSummary(learned_end=learned_end)
    return model


def save_run(model: TextModel, name: str = "names-001") -> Path:
    """Save a model as the run runs/`name` of the working folder."""
    folder = Path("runs") / name
    folder.mkdir(parents=True)
    checkpoint.save(folder / "model.safetensors", model)
    (folder / "run.json").write_text('{"best": {}}')
    return folder


@pytest.fixture
def char_run(bare_setting: Path) -> Path:
    """A run with a char model that learned where texts end."""
    return save_run(random_model())


@pytest.fixture
def charrnn() -> Charrnn:
    """Run the command line in this process."""

    def run(*args: str | Path, **keywords: Any) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args], **keywords)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def process() -> Callable[..., "subprocess.CompletedProcess[bytes]"]:
    """Run the command line in a process of its own."""

    def run(*args: str | Path, **keywords: Any) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "charrnn", *map(str, args)]
        keywords = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | keywords
        return subprocess.run(command, timeout=30, **keywords)

    return run


@pytest.fixture
def terminal() -> Callable[..., str]:
    """Run the command line with stdout on a terminal; return what came there."""

    def run(*args: str | Path, **environment: str) -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "charrnn", *map(str, args)]
        env = dict(os.environ) | {"TERM": "xterm"} | environment
        with open(ours, "rb", buffering=0) as screen:
            try:
                subprocess.run(
                    command,
                    stdout=theirs,
                    stderr=subprocess.DEVNULL,
                    env=env,
                    timeout=30,
                )
            finally:
                os.close(theirs)
            shown = b""
            with contextlib.suppress(OSError):  # how a terminal says that it ended
                while block := screen.read(1 << 16):
                    shown += block
        return shown.decode().replace("\r\n", "\n")

    return run


@pytest.fixture
def small_corpora(bare_setting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the texts of small runs, whose validations write little."""
    from support.training import shorten_samples, write_corpora  # imports torch

    write_corpora()
    shorten_samples(monkeypatch)
