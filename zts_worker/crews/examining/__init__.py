"""How what was built is examined: by reading it, and by running it in the sandbox."""
