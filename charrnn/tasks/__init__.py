"""What is predicted from what, and how well: a file for each task.

base.py       the contract of a task and of its metrics
language.py   the next token from all before it
"""

from charrnn.registry import Registry

#: task classes by name
TASKS = Registry("task", {"language": "charrnn.tasks.language:LanguageTask"})

#: the task of a run or model file that names none
DEFAULT_TASK = "language"
