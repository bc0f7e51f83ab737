"""Runs other engines with the same work, side by side with ours."""
