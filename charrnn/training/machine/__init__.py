"""The machine: what training finds out about it and which settings it changes.

this_machine.py      the facts about this machine that a plan needs
precision.py         chooses device and number format
threads.py           measures how many threads are fastest
memory.py            free memory and a memory limit, without torch
training_memory.py   how much memory training needs, and out-of-memory errors
process.py           process-wide settings: allocator, thread pool, torch's flags
"""
