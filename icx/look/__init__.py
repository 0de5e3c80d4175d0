"""How icx looks: pieces of pages, small charts and one stylesheet, for notebooks, widgets and reports."""
