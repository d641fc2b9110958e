"""What stands before every service that music comes from: a breaker, a window of requests on a clock that nobody sets, and how a service asks to be left alone."""
