"""Tasks, one per file: what a model predicts, and how predictions are measured.

base.py         the interface of a task and of its metrics
language.py     predicts each token from all earlier ones
labelled.py     what the tasks on labelled data share
calibration.py  chooses the temperature that calibrates probabilities
classify.py     predicts a label from a text
tag.py          predicts a tag for each word
translate.py    predicts a text from another one
evaluation.py   predictions, scores and metrics for labelled data
"""

from charrnn.registry import Registry

#: task classes by name
TASKS = Registry(
    "task",
    {
        "language": "charrnn.tasks.language:LanguageTask",
        "classify": "charrnn.tasks.classify:ClassifyTask",
        "tag": "charrnn.tasks.tag:TagTask",
        "translate": "charrnn.tasks.translate:TranslateTask",
    },
)

#: the task of a run or model file that does not name one
DEFAULT_TASK = "language"
