"""Spans of the requests: recorded by OpenTelemetry where it is switched on, else only passed on."""
