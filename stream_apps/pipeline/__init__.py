"""The rules of the translation pipeline, pure: what a request must be, how it is cut, routed and joined."""
