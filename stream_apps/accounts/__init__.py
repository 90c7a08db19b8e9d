"""Who may ask, as what, and how much: the rules of accounts, and the one way to change them."""
