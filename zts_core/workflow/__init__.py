"""The workflow language: its models, conditions, static checks and compiled form."""
