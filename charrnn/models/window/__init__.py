"""models/window."""
