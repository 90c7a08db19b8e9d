"""Turns the events of all stages into one view of each job."""
