"""`just compat`: do wrapped libraries work? Their own test suites, natively and against their drop-in wheels, and what a call costs."""
