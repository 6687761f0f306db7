"""HTTPS: whose certificate, until when, and what is said over plain HTTP beside it. Knows no capability."""
