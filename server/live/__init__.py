"""Floor 5: live lessons."""
