"""Where an audit keeps what its statements give: one file an engine, a `Store` and a `DIALECT` in each."""
