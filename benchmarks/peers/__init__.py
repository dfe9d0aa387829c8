"""Our default beside what others would use: the same images, the same seconds of one core, the same judge.

A cell is a `benchmarks.defaults.cell.Key` whose candidate is a peer's name. `authors/` holds one program a peer, for a
Python of its own (`--python`) that has torch and the peer's package and nothing of gansmith; `registry` names them,
`apart` runs one, `cell` has its samples judged, `table` writes the Markdown of docs/peers.md.
"""
