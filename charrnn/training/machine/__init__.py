"""What training asks of the machine and sets on it.

this_machine.py      the machine that a plan is made for
precision.py         device and number format, probed
threads.py           how many threads are fastest
memory.py            free memory, and a limit on it; without torch
training_memory.py   how much training needs, and what happens if it runs out
process.py           settings of the whole process: allocator, torch's flags
"""
