"""What holds for every test."""

import signal

# A shell starts what it runs in its background with Ctrl-C ignored, and children inherit that: where the tests
# themselves are run so, what they start has to hear it all the same.
signal.signal(signal.SIGINT, signal.default_int_handler)
