"""Labelled data: examples are read, split by their inputs, and stored as two parts.

Whole files are read into memory: labelled data rarely has a million examples.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from charrnn.data.config import CorpusConfig
from charrnn.data.examples import Example, Labelled, read_examples, split
from charrnn.data.formats.report import report
from charrnn.data.store import FORMAT, STORE_FILE, Survey, TokenStore
from charrnn.data.writer import Fingerprint, PartWriter
from charrnn.storage import files
from charrnn.text.sources import Source
from charrnn.tokenizers.base import Tokenizers

DEFAULT_VALID_FRAC = 0.1
SHOWN_EXAMPLES = 3  #: examples shown before training
SHOWN_LABELS = 8  #: labels shown before training
BLOCK_EXAMPLES = 4096


class ExampleCorpus:
    """Labelled examples, split into a training and a validation part.

    A tenth is held out by default, chosen by a hash of the input, so that examples with
    equal inputs are in the same part. `valid_sources`, if given, are used for
    validation instead.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        config: CorpusConfig,
        *,
        task: str,
        valid_sources: Sequence[Source] = (),
    ) -> None:
        self._sources = sources
        self._valid_sources = valid_sources
        self._config = config
        self._task = task

    @cached_property
    def labelled(self) -> Labelled:
        """The examples for training, and the layout of their file."""
        columns = self._config.columns
        return read_examples(self._sources, task=self._task, columns=columns)

    @property
    def layout(self) -> dict[str, Any]:
        """The layout of the files, as JSON values."""
        found = self.labelled
        layout = {"format": found.format, "columns": found.columns}
        return layout | {"header": list(found.header)}

    def preview(self) -> list[str]:
        """Return lines that show how the files were understood, before training."""
        labelled, task = self.labelled, self._task
        found = report(labelled.examples, task)
        shown = labelled.examples[:SHOWN_EXAMPLES]
        why = f" ({labelled.reason})" if labelled.reason else ""
        lines = [f"task     {task}, format {labelled.format}{why}"]
        lines += [f"example  {one.source} -> {one.target}" for one in shown]
        if found.labels:
            counts = [f"{label} {count:,}" for label, count in found.labels]
            more = len(counts) - SHOWN_LABELS
            rest = f" and {more} more" if more > 0 else ""
            lines.append(f"labels   {', '.join(counts[:SHOWN_LABELS])}{rest}")
        notes = list(labelled.notes)
        notes += [f"similar labels: {', '.join(twins)}" for twins in found.twins]
        if found.repeated:
            notes.append(f"{found.repeated:,} repeated examples are used only once")
        if found.contradictory:
            source, outputs = found.contradictions[0]
            notes.append(
                f"{found.contradictory:,} inputs have several outputs, such as"
                f" {source}: {', '.join(outputs)}"
            )
        return lines + [f"note     {note}" for note in notes]

    @cached_property
    def parts(self) -> tuple[list[Example], list[Example]]:
        """The training and the validation examples, without repeated examples.

        Separate validation files keep their repeated examples.
        """
        pairs = {(one.source, one.target): one for one in self.labelled.examples}
        train = list(pairs.values())
        if self._valid_sources:
            valid = read_examples(self._valid_sources, like=self.labelled)
            return train, list(valid.examples)
        share = self._config.valid_frac or DEFAULT_VALID_FRAC
        return split(train, share, self._config.seed)

    def survey(self) -> Survey:
        """Count and hash the examples; only the inputs are counted."""
        tally, outputs = Fingerprint(), hashlib.sha256()
        for part in self.parts:
            for block in _blocks(part):
                tally.add([one.source for one in block], False)
                targets = json.dumps([one.target for one in block])
                outputs.update(targets.encode())
            outputs.update(b"\0")
        both = json.dumps([self._task, tally.sha256(), outputs.hexdigest()])
        sha256 = hashlib.sha256(both.encode()).hexdigest()
        return Survey(**asdict(tally.size), documents=tally.documents, sha256=sha256)

    def write_store(
        self, tokenizers: Tokenizers, folder: Path, *, learns_end: bool
    ) -> TokenStore:
        """Encode inputs and outputs of both parts into files in a folder.

        learns_end: whether the end of an output is a target.
        """
        assert tokenizers.source
        files.make_folder(folder)
        outputs, inputs = {}, {}
        for name, part in zip(("train", "valid"), self.parts, strict=True):
            with ExitStack() as stack:
                target = PartWriter(
                    folder / name, tokenizers.output, stack, learns_end=learns_end
                )
                path = folder / f"{name}-source"
                source = PartWriter(path, tokenizers.source, stack, learns_end=False)
                for block in _blocks(part):
                    target.add([one.target for one in block], False)
                    source.add([one.source for one in block], False)
                outputs[name], inputs[name] = target.finish(), source.finish()
        known = {one.source for one in self.parts[0]}
        store = {
            "format": FORMAT,
            "vocab_size": tokenizers.output.vocab_size,
            "source_size": tokenizers.source.vocab_size,
            "learns_end": learns_end,
            "leaked": sum(one.source in known for one in self.parts[1]),
            "survey": asdict(self.survey()),
            "sources": inputs,
        }
        files.write(folder / STORE_FILE, json.dumps(store | outputs, indent=1).encode())
        return TokenStore.open(folder)


def _blocks(examples: Sequence[Example]) -> Iterator[Sequence[Example]]:
    for start in range(0, len(examples), BLOCK_EXAMPLES):
        yield examples[start : start + BLOCK_EXAMPLES]
