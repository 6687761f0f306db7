"""Keeping a service up: backup, restore, doctor. Works on data folders and machines; knows no page and no request."""
