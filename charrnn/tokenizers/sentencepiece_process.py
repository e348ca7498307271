"""SentencePiece's trainer as a program: JSON lines in, the model out.

The first line is its options, each other one a sentence. It is started as a file, so
that nothing of the package is imported.
"""

import io
import json
import signal
import sys


def main() -> None:
    """Read stdin, write stdout. Raises SystemExit with what the trainer says."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is the other process's
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
