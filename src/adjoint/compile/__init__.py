"""`ad.compile`: a function of Variables and arrays as one native call."""
