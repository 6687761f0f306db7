"""Floor 0: what an offline verifier rests on: trees, signed notes, tiles, formats. Imports nothing of server."""
