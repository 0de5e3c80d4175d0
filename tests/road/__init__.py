"""The whole road, end to end: a real sandbox, a real workspace, the command line as people type it."""
