"""For the tests of host apps: a pytest plugin. See `watchword.testing.plugin`."""
