"""The same rules by each peer: a module is a peer, `findings(folder) -> set[Finding]` reads the tables and judges them.

`LIBRARY`: what it imports and the version of which is printed ("" when none). `PREPARED`: the rules that its own
language cannot say, whose values (or findings) Python prepares inside the measured time.
"""
