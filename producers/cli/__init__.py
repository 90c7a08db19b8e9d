"""The command `dragoman`: thin, the logic lives in the apps."""
