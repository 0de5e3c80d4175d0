"""The iContact twin: a server with the real API's manners, its own state and a seeded account."""
