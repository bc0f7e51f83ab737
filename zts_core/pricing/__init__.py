"""Decides which model a crew works with, and what its calls cost: read by workers, and by a submit for its bounds."""
