"""The one home of uploads: what a file is by its content, how it is taken in, kept, found again and taken away."""
