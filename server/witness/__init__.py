"""A witness: sees logs grow, remembers how far, and signs that; for somebody else's machine (C2SP tlog-witness)."""
