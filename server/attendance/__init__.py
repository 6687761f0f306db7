"""Floor 4, the heart: lease → beat → credit → minute → hours."""
