"""The rules of the house that can be read off the source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import charrnn

ROOT = Path(charrnn.__file__).parent
FILES = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}
EXEMPT = {"__init__.py", "__main__.py"}  # the public names, and the program's start

# folders are ranks: imports point to lower ones, or stay in their rank
RANKS = [
    {"errors", "registry", "fields"},
    {"storage", "text"},
    {"tokenizers"},
    {"data"},
    {"models"},
    {"inference"},
    {"tasks", "reports"},
    {"training"},
    {"bench"},
    {"cli"},
]
ALL_UNITS = set[str]().union(*RANKS)

TORCH_FOLDERS = {"training", "bench"}
TORCH_FILES = {"network.py", "layers.py"}

# what could run code that a file holds, or give a file to what does
EXECUTING_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib"}
EXECUTING_NAMES = {"eval", "exec", "compile", "__import__"}

# what changes the file system, as a method or function of os, shutil, Path or NumPy
WRITING_NAMES = {
    "write_text", "write_bytes", "touch", "mkdir", "makedirs", "rmdir", "unlink",
    "rename", "renames", "removedirs", "symlink_to", "hardlink_to", "truncate",
    "tofile", "savez", "savetxt", "save_file", "rmtree", "copyfile", "copytree",
}  # fmt: skip
WRITING_FUNCTIONS = {
    "os.replace", "os.remove", "os.link", "os.symlink", "os.chmod", "shutil.copy",
    "shutil.move", "np.save", "numpy.save",
}  # fmt: skip

every_file = pytest.mark.parametrize("name", sorted(FILES))


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def imports(name: str) -> Iterator[str]:
    """Yield every module that a file imports, at any level, in full."""
    package = ["charrnn", *Path(name).parent.parts]
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from charrnn import files` imports charrnn.files
            yield from (f"{module}.{alias.name}" for alias in node.names)


def named_modules(name: str) -> Iterator[str]:
    """Yield modules that a string names, for import_module: "charrnn.x:Class"."""
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            module = node.value.split(":")[0]
            if module.startswith("charrnn.") and " " not in module:
                yield module


def unit_of(name: str) -> str:
    """Return the file or folder of the package that a path belongs to."""
    return Path(name).parts[0].removesuffix(".py")


def rank_of(unit: str) -> int:
    return next(rank for rank, units in enumerate(RANKS) if unit in units)


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call with the dotted name of what is called, as it is written."""
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def mode_of(call: ast.Call) -> str:
    """Return the mode that a call of some `open` states, "r" if none."""
    stated = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
    modes = [node.value for node in stated if isinstance(node, ast.Constant)]
    texts = [mode for mode in modes if isinstance(mode, str)]
    return next((mode for mode in texts if set(mode) <= set("rwaxbt+")), "r")


def test_every_file_has_a_rank() -> None:
    units = {unit_of(name) for name in FILES if name not in EXEMPT}

    assert units == ALL_UNITS


def arrows(name: str) -> set[str]:
    """Return the files of the package that a file imports, annotations included."""
    found = set()
    for module in imports(name):
        parts = module.split(".")[1:]
        # `from charrnn.x import y`: y is a module or a name in one
        for words in (parts, parts[:-1]):
            path = "/".join(words)
            for file in (f"{path}.py", f"{path}/__init__.py"):
                if words and file in FILES and module.startswith("charrnn."):
                    found.add(file)
    return found - {name}


@pytest.mark.parametrize("name", sorted(FILES.keys() - EXEMPT))
def test_imports_point_down_only(name: str) -> None:
    own = rank_of(unit_of(name))

    for file in arrows(name):
        assert rank_of(unit_of(file)) <= own, f"{name} imports {file}"


def test_no_file_imports_itself_through_others() -> None:
    waiting = {name: arrows(name) for name in FILES}
    while free := [name for name, needs in waiting.items() if not needs & set(waiting)]:
        for name in free:
            del waiting[name]

    assert not waiting, f"imports go in a circle among {sorted(waiting)}"


@every_file
def test_torch_is_imported_where_networks_are_trained_only(name: str) -> None:
    tops = {module.split(".")[0] for module in imports(name)}

    is_network = unit_of(name) == "models" and Path(name).name in TORCH_FILES
    assert "torch" not in tops or unit_of(name) in TORCH_FOLDERS or is_network


@every_file
def test_nothing_of_a_file_is_executed(name: str) -> None:
    tops = {module.split(".")[0] for module in imports(name)}
    called = {function for function, _ in calls(name)}

    assert not tops & EXECUTING_MODULES
    assert not called & EXECUTING_NAMES
    assert "torch.load" not in called
    assert not any("allow_pickle" in ast.unparse(call) for _, call in calls(name))


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"storage/files.py"}))
def test_files_are_written_by_one_module_only(name: str) -> None:
    for function, call in calls(name):
        last = function.rsplit(".", 1)[-1]
        written = f"{name}:{call.lineno}: {ast.unparse(call)}"
        if function.startswith("files."):
            continue
        assert last not in WRITING_NAMES, written
        assert function not in WRITING_FUNCTIONS, written
        if function == "os.open":
            assert ast.unparse(call.args[0]) == "os.devnull", written
        elif last in ("open", "fdopen", "memmap"):
            assert not set(mode_of(call)) & set("wax+"), written


@pytest.mark.parametrize("name", sorted(n for n in FILES if unit_of(n) != "cli"))
def test_library_neither_prints_nor_exits(name: str) -> None:
    called = {function for function, _ in calls(name)}
    tops = {module.split(".")[0] for module in imports(name)}

    assert not called & {"print", "sys.exit", "exit", "quit", "os._exit"}
    assert not tops & {"rich", "typer"}


@pytest.mark.parametrize("name", sorted(n for n in FILES if unit_of(n) != "cli"))
def test_no_randomness_comes_from_a_hidden_global_generator(name: str) -> None:
    allowed = {"default_rng", "Generator", "SeedSequence", "PCG64"}
    tops = {module.split(".")[0] for module in imports(name)}

    assert "random" not in tops
    for function, call in calls(name):
        module, _, last = function.rpartition(".")
        if module in ("np.random", "numpy.random"):
            assert last in allowed, f"{name}:{call.lineno}"
            assert call.args, f"{name}:{call.lineno}: a generator without a seed"
        assert function not in ("torch.manual_seed", "torch.seed", "np.random.seed")


@every_file
def test_no_file_is_longer_than_300_lines(name: str) -> None:
    assert len(FILES[name].read_text(encoding="utf-8").splitlines()) <= 300


@every_file
def test_no_function_is_longer_than_60_lines(name: str) -> None:
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            assert node.end_lineno - first < 60, f"{name}: {node.name}"


@pytest.mark.parametrize("name", charrnn.__all__)
def test_public_name_can_be_had(name: str) -> None:
    assert getattr(charrnn, name)
