"""What the tests build for themselves: real wheels, source distributions, and an index to serve them."""
