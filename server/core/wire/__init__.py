"""The one door for requests and events: declared once, served and checked here. Knows only `Actor`."""
