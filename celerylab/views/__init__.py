"""Pictures, tables and messages, for people to look at."""
