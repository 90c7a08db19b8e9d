"""The main job on the real one-machine stack, shown and measured."""
