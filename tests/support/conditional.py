"""Small random models of every task on labelled data, with examples for them."""

from pathlib import Path
from typing import Any

from conftest import save_run

from charrnn.inference.text_model import TextModel
from charrnn.models.base import ConditionalModel
from charrnn.models.labeller.config import LabellerConfig
from charrnn.storage.records import ModelSummary
from charrnn.tokenizers.base import Tokenizer
from charrnn.tokenizers.config import TokenizerConfig
from charrnn.tokenizers.label import LabelTokenizer
from charrnn.tokenizers.loading import fit
from support.labellers import random_labeller
from support.translators import random_translator, translator_config

Pairs = list[tuple[str, str]]

EXAMPLES: dict[str, Pairs] = {
    "classify": [
        ("Anna", "first"), ("Bo", "first"), ("Berg", "last"),
        ("Holm", "last"), ("Lake Como", "place"), ("Oslo", "place"),
    ],
    "tag": [
        ("the cat sat", "DET NOUN VERB"), ("a dog ran home", "DET NOUN VERB ADV"),
        ("stop", "VERB"), ("the old cat", "DET ADJ NOUN"), ("sit", "VERB"),
    ],
    "translate": [
        ("abc", "x y"), ("ba", "y x"), ("cab", "z x y"), ("a", "x"), ("bcb", "y z y"),
    ],
}  # fmt: skip
FORMAT = {"classify": "tsv", "tag": "conll", "translate": "tsv"}


def conditional_model(task: str, *, seed: int = 8, **config: Any) -> TextModel:
    """Return a model with random weights that knows the tokens of the examples."""
    inputs, outputs = (list(side) for side in zip(*EXAMPLES[task], strict=True))
    source = fit(inputs, TokenizerConfig("char", min_count=1))
    if task == "classify":
        tokenizer: Tokenizer = LabelTokenizer(sorted(set(outputs)))
    else:
        tokenizer = fit(outputs, TokenizerConfig("symbol", min_count=1))
    sizes = {"vocab_size": tokenizer.vocab_size, "source_size": source.vocab_size}
    if task == "translate":
        shape = translator_config(**sizes, **{"attention": "dot"} | config)
        model: ConditionalModel = random_translator(shape, seed=seed)
    else:
        if task == "tag":
            config |= {"per_word": True, "blank": int(source.encode(" ")[0])}
        small = {"hidden": 6, "embed": 4, "letter_hidden": 3, "word_embed": 4}
        model = random_labeller(LabellerConfig(**sizes, **small | config), seed=seed)
    summary = ModelSummary(learned_end=task == "translate", task=task)
    return TextModel(model, tokenizer, source_tokenizer=source, summary=summary)


def save_conditional(task: str, name: str = "", **config: Any) -> str:
    """Save a model as a run; return the folder."""
    return str(save_run(conditional_model(task, **config), name or f"{task}-001"))


def write_tsv(path: str, pairs: Pairs) -> str:
    """Write examples as TSV; return the path."""
    lines = [f"{source}\t{target}\n" for source, target in pairs]
    Path(path).write_text("".join(lines), encoding="utf-8")
    return path


def write_labelled(task: str, pairs: Pairs) -> str:
    """Write examples in the usual format of a task; return the path."""
    if FORMAT[task] == "tsv":
        return write_tsv(f"{task}.tsv", pairs)
    sentences = [
        "".join(
            f"{word}\t{tag}\n"
            for word, tag in zip(source.split(), target.split(), strict=True)
        )
        for source, target in pairs
    ]
    Path(f"{task}.conll").write_text("\n".join(sentences))
    return f"{task}.conll"
