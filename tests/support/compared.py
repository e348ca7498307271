"""Models to compare, and a text that is new to them."""

from pathlib import Path
from typing import Any

from conftest import TEXT, random_model, save_run

from charrnn.inference.text_model import TextModel
from charrnn.models.ngram.config import NgramConfig
from support.ngrams import fit_ngrams

NEW = "jackdaws love my big sphinx of quartz, reader...\n"


def counted(text: str = TEXT, **options: Any) -> TextModel:
    """Return an n-gram model with the tokenizer of `random_model()`."""
    tokenizer = random_model().tokenizer
    config = NgramConfig(tokenizer.vocab_size, **options)
    return TextModel(fit_ngrams([tokenizer.encode(text).tolist()], config), tokenizer)


def saved_models(bare_setting: Path) -> list[str]:
    """An n-gram model, and random networks of characters and of subwords."""
    Path("new.txt").write_text(NEW * 3)
    found = {
        "counted-001": counted(order=3),
        "chars-001": random_model(),
        "pieces-001": random_model("subword", text=TEXT * 50),
    }
    return [str(save_run(model, name)) for name, model in found.items()]
