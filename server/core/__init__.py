"""Floor 0: clock, errors, database, files, tasks, wire, actor, vault. Knows no capability."""
