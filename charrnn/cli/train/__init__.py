"""`charrnn train`: train a model on text.

command.py   handles the options, signals and exit codes
view.py      shows events as a live bar, plain lines or JSON
lines.py     turns each event into text
"""
