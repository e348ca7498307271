"""`charrnn score`: report how likely texts are.

command.py    scores texts from arguments, files or stdin
options.py    the options
items.py      computes the surprisal of each token or word of a text
labelled.py   scores the outputs in labelled data, given their inputs
output.py     writes JSON, plain numbers, tables or colours
"""
