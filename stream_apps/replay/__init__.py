"""Translates past requests on another model and compares the results. Answers and bills nobody."""
