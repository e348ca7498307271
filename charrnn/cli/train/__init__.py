"""`charrnn train`: train a model on text.

command.py   the options, signals and exit codes
view.py      where events are shown: a live bar, plain lines or JSON
lines.py     the text of each event
"""
