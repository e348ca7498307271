"""`charrnn sample` and `charrnn mix` with models that read an input."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.conditional import EXAMPLES, conditional_model, save_conditional

every_task = pytest.mark.parametrize("task", EXAMPLES)


@every_task
def test_sample_is_an_output_with_its_probability(charrnn: Any, task: str) -> None:
    save_conditional(task)
    source, _ = EXAMPLES[task][0]

    one = json.loads(charrnn("sample", source, "--seed", 1, "--json").stdout)
    plain = charrnn("sample", source, "--seed", 1)

    assert plain.stdout == f"{one['text']}\n"  # without the prompt
    assert "charrnn predict" in plain.stderr
    (scored,) = conditional_model(task).score_outputs([source], [one["text"]])
    assert one["finish"] == "end"
    assert one["nats"] == pytest.approx(scored.nats, abs=1e-4)


def test_models_that_read_inputs_are_not_mixed(charrnn: Any) -> None:
    folder = save_conditional("classify")

    result = charrnn("mix", folder, folder, "-o", "m.safetensors")

    assert result.exit_code == 2
    assert "only language models" in result.stderr
    assert not Path("m.safetensors").exists()
