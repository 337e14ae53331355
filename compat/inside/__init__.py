"""What runs in a library's environment, natively and fenced: the standard library and pytest are all that it may import."""
