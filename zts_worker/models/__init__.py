"""Language models for crews: which one, with which prompt, within which budget, and what came of each call."""
