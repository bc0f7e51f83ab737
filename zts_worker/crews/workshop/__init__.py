"""Where agents work on files: a bounded folder, the moves they may make in it, and the proof that decides."""
