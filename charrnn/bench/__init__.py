"""What a machine does with charrnn, measured as its commands do it.

Every measurer is a function that yields `Reading`s, one at a time and the things that
are compared in turn, so that what else the machine does meets all of them alike. Most
are called in a process of their own, as a command would be. Nothing here imports torch:
what needs it is in `training/bench.py`.
"""
