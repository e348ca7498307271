"""`charrnn compare`: rank models on the same text.

command.py   compares models on a text
options.py   the options
labelled.py  compares models on labelled data
output.py    writes messages, tables and JSON
"""
