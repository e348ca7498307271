"""`charrnn compare --plot`: an image, or an error if matplotlib is missing."""

from pathlib import Path
from typing import Any

import pytest
from support.compared import counted, saved_models

from charrnn.inference import checkpoint
from charrnn.reports import ladder_plot

models = pytest.fixture(saved_models)


def test_without_matplotlib_the_hint_installs_it(
    charrnn: Any, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder_plot, "find_spec", lambda name: None)

    result = charrnn("compare", *models, "-f", "new.txt", "--plot", "plot.svg")

    assert result.exit_code == 6
    assert "pip install matplotlib" in result.stderr


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_is_a_reproducible_image(
    suffix: str, charrnn: Any, models: list[str]
) -> None:
    pytest.importorskip("matplotlib")
    checkpoint.save(Path("never"), counted("the fox", order=2, smoothing="mle"))
    images = []
    for name in ("first", "second"):
        path = Path(f"{name}.{suffix}")
        result = charrnn("compare", "never", *models, "-f", "new.txt", "--plot", path)
        assert result.exit_code == 0, result.stderr
        images.append(path.read_bytes())

    assert images[0] == images[1]
    assert images[0][:4] == {"png": b"\x89PNG", "svg": b"<?xm"}[suffix]
