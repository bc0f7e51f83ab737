"""The shared language of producer and worker: workflows, runs, the pure heart, and the store and queue they use."""
