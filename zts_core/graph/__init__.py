"""Results in a graph: what it holds (`model`), how it is fed (`feed`), asked (`questions`) and reached (`opening`)."""
