"""Which terms have a translation of their own: the glossaries of tenants, and the one way to change them."""
