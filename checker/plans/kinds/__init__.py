"""The kinds of check: one file, one French sentence, one schema branch, one relational form.

A kind has: a docstring (its doc page), `WORDS` (sentences by outcome), `SCHEMA` (of its options), `EXAMPLE` (YAML)
and `compile(options, scope) -> Check | list[Check]`.
"""
