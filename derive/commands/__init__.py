"""The commands, each loaded when it is asked for; the only place that reads and writes files."""
