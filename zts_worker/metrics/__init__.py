"""What a worker shows to Prometheus: exact counters of the whole cluster, and what this worker alone can know."""
