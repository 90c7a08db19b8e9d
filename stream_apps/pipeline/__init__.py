"""The rules of translation work, pure: what a request must be, how it is cut, routed and joined."""
