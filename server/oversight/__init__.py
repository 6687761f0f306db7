"""Floor 7: regulators look in; every look is recorded (R13)."""
