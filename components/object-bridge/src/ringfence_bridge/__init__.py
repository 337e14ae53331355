"""The guest's half of the border of a wrapped library: performs what the host asks for, and asks for what the application gave."""
