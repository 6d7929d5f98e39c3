"""Exercises: fresh values for a spec, lines of its page turned into questions, and their marks."""
