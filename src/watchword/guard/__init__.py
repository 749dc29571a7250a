"""Guards: FastAPI dependencies that let a request in, or answer it."""
