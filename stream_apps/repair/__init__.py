"""Send lost requests again, end requests whose deadline passed, end hanging transactions."""
