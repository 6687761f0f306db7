"""The media plane: packets in, packets out, nothing decoded. It knows no person, no class and no database."""
