"""What a user would pick instead, each as small and as honest as its own documentation shows it."""
