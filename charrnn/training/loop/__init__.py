"""The training loop, which is independent of tasks and model families.

trainer.py         the loop, which reads batches and yields events
state.py           the part of a run that cannot be derived from plan and step
snapshot.py        saves and loads that state
schedule.py        progress and learning rate as functions of the step
window_stages.py   windows that grow during a run
step_timer.py      how many steps fit into a time budget
dropout.py         dropout masks as functions of the step
gradients.py       forward and backward pass, in micro-batches if memory is short
optimizer.py       AdamW and the averaged weights
evaluate.py        validates a network
"""
