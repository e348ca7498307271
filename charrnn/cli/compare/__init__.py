"""`charrnn compare`: rank models on the same text.

command.py   handles the options, the text and the baselines
labelled.py  compares models on labelled data
output.py    writes messages, tables and JSON
"""
