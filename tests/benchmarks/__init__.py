"""How much slower than the plain thing: ratios, printed as a table by `make bench`."""
