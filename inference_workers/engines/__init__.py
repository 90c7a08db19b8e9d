"""Run models: one file per translation engine, all behind `protocol.Engine`."""
