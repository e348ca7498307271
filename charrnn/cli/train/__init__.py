"""`charrnn train`: train a model on text or labelled data.

command.py   handles the options, signals and exit codes
view.py      shows events as a live bar, plain lines or JSON
lines.py     turns each event into text
"""
