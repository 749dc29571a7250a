"""What is wrong with the login of any FastAPI app, with Watchword in it or not. Imports nothing else of Watchword."""
