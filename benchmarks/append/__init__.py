"""One append measured inside exposure beside a bare `send_and_wait` of the same bytes."""
