"""Challenges: who is asked when, what an answer is worth, and what is told of it."""
