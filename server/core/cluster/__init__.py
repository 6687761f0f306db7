"""Several processes, one house: who lives, who owns which lesson, and how one asks another."""
