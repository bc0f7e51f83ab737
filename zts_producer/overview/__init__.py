"""An overview of many runs: how they ended, what was slow, what it cost."""
