"""`charrnn predict`: find the best output for each input.

command.py     handles the options and the inputs
output.py      writes lines, JSON, a table, or labelled data
attention.py   prints how much a translator attended to each input token
"""
