"""The training loop, which knows no task and no family.

trainer.py         the loop: batches in, events out
state.py           what a run cannot derive from its plan and the step
snapshot.py        that state as a file
schedule.py        progress and learning rate as functions of the step
window_stages.py   windows that grow during a run
step_timer.py      how many steps fit into a time budget
dropout.py         dropout masks as functions of the step
gradients.py       forward and backward, in micro-batches if memory is short
optimizer.py       AdamW and the averaged weights
evaluate.py        validation
"""
