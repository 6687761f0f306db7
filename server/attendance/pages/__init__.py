"""The keys of pages: registered with each lease, they sign what the page told; we sign what it was acknowledged."""
