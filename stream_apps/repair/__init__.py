"""Finds what has no answer and sees to it: requests that were lost are sent again, late ones are ended."""
