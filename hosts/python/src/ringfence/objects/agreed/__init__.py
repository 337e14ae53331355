"""What both sides of the border of a wrapped library do alike: the form in which values cross, and what they call what both have.

The guest's component has copies of these very files; so they import nothing but each other and the standard library. What JSON has
stands for itself (as Python's `json` writes it, with NaN and the infinities): None, bool, int of 64 bits, float, str, list, dict with
text for keys. Everything else is an object whose key "$" names its kind. A value in which something is shared, or contains itself, is
written as a table of its containers. No text makes code run.
"""
