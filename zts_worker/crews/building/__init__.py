"""How an idea's reading becomes a project: names, blueprint, files, and their repair."""
