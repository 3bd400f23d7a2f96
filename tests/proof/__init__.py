"""The proofs: each section measures one promise on the real program, and on its peers where they can take part."""
