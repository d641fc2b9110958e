"""What stands before every service that music comes from: a breaker, and a window of requests on a clock that nobody sets."""
