"""The plan of a finished run, followed again.

A time budget becomes a number of steps as a run goes, by the speed of the machine. The
marks of its schedule are kept in run.json; whoever follows them takes the same steps
at the same rates, however long they take, and ends with the same weights where the
products round alike (the same torch, kind of processor, precision and threads).
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from charrnn.data.config import CorpusConfig
from charrnn.errors import NotFoundError, UsageError
from charrnn.fields import from_json
from charrnn.storage.runs import described, find_run
from charrnn.tokenizers import loading as tokenizers
from charrnn.tokenizers.base import Tokenizer
from charrnn.training.budget import BUDGETS
from charrnn.training.request import Request, refuse_beside


def follow_plan(request: Request) -> Request:
    """Return a request with all that the plan it names brings, if it names one.

    Raises NotFoundError if the run has no plan, UsageError for options that the plan
    would have to ignore.
    """
    if not request.plan:
        return request
    info = _read(request)
    _refuse_other_options(request)
    with described(Path(request.plan)):
        marks = tuple(info["plan"])  # none of what is counted
        training = {k: v for k, v in info["training"].items() if k not in BUDGETS}
        steps = {"steps": marks[-1]["total"]} if marks else {}
        followed = replace(
            request,
            family=info["family"],
            corpus=from_json(CorpusConfig, info["split"]),
            model={k: v for k, v in info["model"].items() if k != "vocab_size"},
            training=training | steps,
            init_from=info["init_from"],
            marks=marks,
        )
    if followed.starting_sha256 != info.get("init_sha256", ""):
        raise UsageError(
            f"--plan {request.plan} began with {followed.init_from}, which has changed",
            hint="its weights cannot be had again without that model",
        )
    return followed


def plan_tokenizer(request: Request) -> Tokenizer:
    """Return the tokenizer of the run whose plan is followed."""
    with described(Path(request.plan)):
        return tokenizers.from_json(_read(request)["tokenizer"])


def _read(request: Request) -> dict[str, Any]:
    info = find_run(request.plan).read_info()
    if "plan" not in info:
        raise NotFoundError(
            f"--plan {request.plan} is not the folder of a finished run",
            hint="see which there are: charrnn runs",
        )
    return info


def _refuse_other_options(request: Request) -> None:
    given = [*request.tokenizer, *request.model, *request.training]
    given += ["tokenizer"] * bool(request.tokenizer_file)
    given += ["init-from"] * bool(request.init_from)
    given += ["model"] * bool(request.family)
    given += ["documents"] * (request.corpus != CorpusConfig())
    refuse_beside("--plan", "all options", given)
