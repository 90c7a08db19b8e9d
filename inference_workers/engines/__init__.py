"""One file per translation engine, all behind `protocol.Engine`."""
