"""The crews that read and write text."""
