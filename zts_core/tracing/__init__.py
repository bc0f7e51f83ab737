"""OpenTelemetry traces: one per run, from submit to result, kept together across processes by the store."""
