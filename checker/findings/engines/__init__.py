"""Engines: one file, one engine. A plug has `session(frames, columns, dictionary) -> Session`."""
