"""training/machine."""
