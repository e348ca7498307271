"""models/recurrent."""
