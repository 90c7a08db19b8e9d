"""Faust agents on a transport that loses nothing."""
