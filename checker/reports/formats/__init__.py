"""SOCKET: one file is one format, `render(verdicts, words, *, color, width) -> bytes`."""
