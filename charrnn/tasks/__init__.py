"""Tasks, one per file: what a model predicts, and how predictions are measured.

base.py       the interface of a task and of its metrics
language.py   predicts each token from all earlier ones
"""

from charrnn.registry import Registry

#: task classes by name
TASKS = Registry("task", {"language": "charrnn.tasks.language:LanguageTask"})

#: the task of a run or model file that does not name one
DEFAULT_TASK = "language"
