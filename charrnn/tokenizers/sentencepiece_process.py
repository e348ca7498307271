"""SentencePiece's trainer as a program that reads JSON lines and writes the model.

The first line holds the options, and every other line holds a sentence. This file is
run by its path, so it imports nothing from the package.
"""

import io
import json
import signal
import sys


def main() -> None:
    """Train on stdin and write the model to stdout; exit with the trainer's error."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent process handles Ctrl-C
    import sentencepiece

    options = json.loads(sys.stdin.readline())
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=map(json.loads, sys.stdin), model_writer=model, **options
        )
    except RuntimeError as error:
        raise SystemExit(str(error)) from error
    sys.stdout.buffer.write(model.getvalue())


if __name__ == "__main__":
    main()
