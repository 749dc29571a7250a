"""For the tests of host apps: the pytest plugin `watchword`, with `as_user(...)`."""
