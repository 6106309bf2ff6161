"""Stories of the page in a real Chromium; a package, so that they share a browser, a page and its tabs."""
