"""The command line: commands in `app`, one file for each, and what they share.

Only `main` is here, and it imports nothing before it can be interrupted quietly.
"""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly even while it is loading."""
    try:
        from charrnn.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)
