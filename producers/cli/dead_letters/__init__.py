"""`dragoman dead-letters`: what could not be processed is looked at, sent again, or given up."""
