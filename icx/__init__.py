"""icx: an iContact account in one DuckDB file, one row per person, audiences, plans, and pushes."""
