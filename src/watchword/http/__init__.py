"""The endpoints: parse a typed request, call one use case, render. No rules live here."""
