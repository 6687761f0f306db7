"""Keshi 课时: the classroom server. Floors and rules: ARCHITECTURE.md."""
