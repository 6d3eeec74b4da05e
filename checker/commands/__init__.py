"""Verbs: one file, one command. A plug has a docstring (its help), `HELP`, `arguments(parser)`, `run(options)`."""
