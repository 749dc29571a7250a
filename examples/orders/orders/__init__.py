"""A shop's orders: a small app, with Watchword for its users."""
