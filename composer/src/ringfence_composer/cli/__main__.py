"""`python -m ringfence_composer.cli`: the same as the console script `compose`."""

from ringfence_composer.cli import main

main()
